#!/bin/bash
# Makes a small Debian 13 root for tests, demo and benchmarks: make_root.sh riscv64|arm64|amd64 [FOLDER]
# make_root.sh ARCH-languages makes one that has Go, Rust, Node and OpenJDK as well (1.6 GB), ARCH-debuggers one with gdb, gdbserver
# and strace.
#
# Packages are unpacked, not configured (no foreign code runs), from the mirror that this machine's own apt uses; what
# maintainer scripts would have made and programs miss is made here. Only the main suite: updates and security can be half
# mirrored. The folder (default build/roots/ARCH) is complete when its stamp holds the hash of this script, and is reused then.
set -euo pipefail

name=${1:?usage: make_root.sh riscv64|arm64|amd64[-languages|-debuggers] [FOLDER]}
arch=${name%-*}
top=$(cd "$(dirname "$0")/../.." && pwd)
root=${2:-$top/build/roots/$name}
suite=trixie
packages=(
    base-files base-passwd bash dash coreutils grep sed mawk gawk perl python3 libpython3.13-testsuite lua5.4 sqlite3
    zstd xz-utils gzip bzip2 openssl gcc libc6-dev make git tar findutils file diffutils procps util-linux tzdata
    libc-bin debianutils hostname netbase
)
case $arch in riscv64 | arm64 | amd64) ;; *) echo "make_root.sh: no such architecture: $arch" >&2; exit 2 ;; esac
case ${name#"$arch"} in
"") ;;
-languages) packages+=(golang-go rustc nodejs openjdk-21-jdk-headless) ;;
-debuggers) packages+=(gdb gdbserver strace) ;;
*) echo "make_root.sh: no such root: $name" >&2; exit 2 ;;
esac
stamp=$(sha256sum <"$0" | cut -d' ' -f1)
[[ -f $root/.ferry-root && $(<"$root/.ferry-root") == "$stamp" ]] && exit 0
mkdir -p "$(dirname "$root")"
root=$(realpath -m "$root")
exec 9>"$root.lock"
flock 9 # two test runs may want the same root
[[ -f $root/.ferry-root && $(<"$root/.ferry-root") == "$stamp" ]] && exit 0
command -v mmdebstrap >/dev/null || { echo "make_root.sh: mmdebstrap is not installed (./dev deps installs it)" >&2; exit 1; }

# Mirrors of Debian proper that apt is configured with. `indextargets` reads one-line and deb822 sources alike; the files
# themselves are read where it says nothing (no `apt-get update` yet).
# shellcheck disable=SC2016  # apt fills these names in
mirrors() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '$3 == "main" && $2 !~ /security|updates|backports/ { print $1 }'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -En 's/^deb +(\[[^]]*\] +)?(https?:[^ ]+) +[a-z]+ .*main.*/\2/p'
    sed -En 's/^URIs: *(.*)/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | tr ' ' '\n'
    echo http://deb.debian.org/debian
}

# The first of them that has the suite: others may be for Ubuntu, security, or someone's own packages.
find_mirror() {
    local uri
    while read -r uri; do
        uri=${uri%/}
        [[ $uri == http* && $uri != *security* ]] || continue
        if has_suite "$uri"; then echo "$uri"; return; fi
    done < <(mirrors | awk '!seen[$0]++')
    echo "make_root.sh: none of apt's mirrors has Debian $suite: $(mirrors | sort -u | tr '\n' ' ')" >&2
    return 1
}

# By apt's own downloader, so that its proxies and certificates hold.
fetch() {
    local try
    for try in 1 2 3; do
        /usr/lib/apt/apt-helper -o Acquire::Retries=2 download-file "$1" "$2" >/dev/null 2>&1 && return 0
        sleep $try
    done
    return 1
}

has_suite() {
    local file found=0
    file=$(mktemp)
    fetch "$1/dists/$suite/InRelease" "$file" || found=1
    rm -f "$file"
    return $found
}

# Whether a name of the suite is that of this one, and the mirror has the indexes that its Release file names, for all architectures of which roots are compared.
is_whole() {
    local uri=$1/dists/$2 folder of hash whole=0
    folder=$(mktemp -d)
    fetch "$uri/InRelease" "$folder/release" && grep -qx "Codename: $suite" "$folder/release" || whole=1
    for of in $(printf '%s\n' riscv64 amd64 "$arch" | sort -u); do
        [[ $whole == 0 ]] || break
        hash=$(awk -v file="main/binary-$of/Packages.xz" '/^SHA256:/ { on = 1 } on && $3 == file { print $1; exit }' "$folder/release")
        fetch "$uri/main/binary-$of/by-hash/SHA256/$hash" "$folder/index" || whole=1
    done
    rm -rf "$folder"
    return $whole
}

# While a mirror is being updated, "stable" may be whole where the suite's own name is not.
find_name() {
    local name
    for name in "$suite" stable; do
        if is_whole "$1" "$name"; then echo "$name"; return; fi
    done
    echo "$suite"
}

keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        [[ -f $file ]] && echo "$file" && return
    done
    echo "make_root.sh: debian-archive-keyring is not installed (./dev deps installs it)" >&2
    return 1
}

# A tar of the root: that works the same as root, and as a user in a namespace, where files would get odd owners.
unpack() {
    local mirror=$1 name=$2 key=$3 mode=auto prefix=() leave=()
    if [[ $(id -u) != 0 ]]; then
        mode=unshare leave=(--exclude='./dev/*') # users make no device nodes
        if ! unshare --user --map-auto --map-root-user true 2>/dev/null; then mode=root prefix=(sudo); fi
    fi
    rm -rf "$root.new"
    mkdir "$root.new"
    "${prefix[@]}" mmdebstrap --quiet --mode="$mode" --variant=extract --architectures="$arch" --include="$(IFS=,; echo "${packages[*]}")" \
        --keyring="$key" --aptopt='Acquire::Retries "5"' --aptopt='APT::Install-Recommends "false"' --format=tar \
        --skip=check/qemu "$name" - "deb [signed-by=$key] $mirror $name main" |
        tar -x --no-same-owner "${leave[@]}" -C "$root.new"
}

# What the maintainer scripts would have done, as far as programs look for it.
settle() {
    local r=$1
    cp "$r/usr/share/base-passwd/passwd.master" "$r/etc/passwd"
    cp "$r/usr/share/base-passwd/group.master" "$r/etc/group"
    chmod 644 "$r/etc/passwd" "$r/etc/group"
    [[ -e $r/usr/bin/sh ]] || ln -s dash "$r/usr/bin/sh"
    ln -sf mawk "$r/usr/bin/awk"
    ln -sf gcc "$r/usr/bin/cc"
    ln -sf lua5.4 "$r/usr/bin/lua"
    if [[ -e $r/usr/lib/jvm ]]; then
        ln -sf ../lib/jvm/java-21-openjdk-"$arch"/bin/{java,javac} "$r/usr/bin/"
    fi
    printf 'passwd: files\ngroup: files\nhosts: files dns\nprotocols: files\nservices: files\n' >"$r/etc/nsswitch.conf"
    printf '127.0.0.1 localhost ferry\n::1 localhost\n' >"$r/etc/hosts"
    echo ferry >"$r/etc/hostname"
    : >"$r/etc/resolv.conf"
    ln -sf ../usr/share/zoneinfo/Etc/UTC "$r/etc/localtime"
    mkdir -p "$r"/{proc,sys,dev,tmp,root,run,var/tmp}
    chmod 1777 "$r/tmp" "$r/var/tmp"
    chmod 755 "$r/root"
    rm -rf "$r"/var/cache/apt/* "$r"/var/lib/apt/lists/* "$r"/usr/share/{doc,man,locale,info,lintian}/*
}

mirror=$(find_mirror)
key=$(keyring)
for try in 1 2 3 4; do
    echo "make_root.sh: Debian $suite for $name from $mirror" >&2
    if unpack "$mirror" "$(find_name "$mirror")" "$key"; then
        settle "$root.new"
        [[ -d $root ]] && rm -rf "$root"
        mv "$root.new" "$root"
        echo "$stamp" >"$root/.ferry-root"
        exit 0
    fi
    echo "make_root.sh: attempt $try failed" >&2
    sleep $((try * 5))
done
rm -rf "$root.new"
exit 1
