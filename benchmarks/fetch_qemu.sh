#!/bin/bash
# Unpacks qemu-user of another Debian release aside, with the libraries it needs, for comparison: fetch_qemu.sh SUITE FOLDER.
# Nothing is installed; where it is not static, run it through the folder's own dynamic loader. From the mirror that this machine's apt uses.
set -euo pipefail

suite=${1:?usage: fetch_qemu.sh SUITE FOLDER} folder=${2:?usage: fetch_qemu.sh SUITE FOLDER}
[[ -f $folder/.complete ]] && exit 0
command -v mmdebstrap >/dev/null || { echo "fetch_qemu.sh: mmdebstrap is not installed" >&2; exit 1; }
key=/usr/share/keyrings/debian-archive-keyring.gpg
[[ -f $key ]] || key=${key%.gpg}.pgp

# shellcheck disable=SC2016  # apt fills these names in
mirrors() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '$3 == "main" && $2 !~ /security|updates|backports/ && !seen[$1]++ { print $1 }'
}

mode=root
[[ $(id -u) == 0 ]] || mode=unshare
while read -r mirror; do
    rm -rf "$folder"
    mkdir -p "$folder"
    echo "fetch_qemu.sh: qemu-user of Debian $suite into $folder" >&2
    # Unpacked from a tar: a user's namespace would leave files with odd owners.
    if mmdebstrap --quiet --mode=$mode --variant=extract --include=qemu-user --keyring="$key" --aptopt='Acquire::Retries "5"' \
        --aptopt='APT::Install-Recommends "false"' --format=tar "$suite" - "deb [signed-by=$key] $mirror $suite main" |
        tar -x --no-same-owner --exclude='./dev/*' -C "$folder"; then
        find "$folder/usr/bin" -name 'qemu-*' ! -name qemu-riscv64 -delete
        touch "$folder/.complete"
        exit 0
    fi
done < <(mirrors)
echo "fetch_qemu.sh: none of apt's mirrors has Debian $suite (try: apt-get update)" >&2
exit 1
