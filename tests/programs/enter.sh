#!/bin/bash
# Runs one case inside the namespaces that run_programs.py made: enter.sh MODE ROOT FERRY SCRIPT COMMAND...
#
# MODE chroot: ROOT gets a /proc, a /dev, and empty /tmp and /run with the runner as /run/ferry and the script as /run/case.sh, all
# mounted for this namespace only, so that the root is never written to and cases do not see each other.
# MODE overlay: the host's own files; the command finds the root by itself.
# The command runs with the script's path as its one more argument, in an empty folder.
set -eu
mode=$1 root=$2 ferry=$3 script=$4
shift 4
mount --make-rprivate /

# A network namespace starts with its loopback down.
python3 -c 'import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 1))' || echo "no loopback" >&2

settle_chroot() {
    local node
    mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for node in null zero full random urandom tty; do
        : >"$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    chmod 1777 "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts" 2>/dev/null || mount --bind /dev/pts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mkdir "$root/tmp/work" "$root/tmp/home"
    cp "$ferry" "$root/run/ferry"
    if [[ -f $ferry-compiler ]]; then cp "$ferry-compiler" "$root/run/ferry-compiler"; fi
    if [[ -n $FERRY_CACHE_DIR ]]; then
        mkdir "$root/run/cache"
        mkdir -p "$FERRY_CACHE_DIR"
        mount --bind "$FERRY_CACHE_DIR" "$root/run/cache"
        export FERRY_CACHE_DIR=/run/cache
    fi
    cp "$script" "$root/run/case.sh"
}

if [[ $mode == chroot ]]; then
    settle_chroot
    # The shell inside must not be the namespace's init, which ignores signals that it has no handler for.
    export HOME=/tmp/home
    unset FERRY_TEST_FOLDER
    cd "$root/tmp/work"
    status=0
    python3 -c 'import os, sys
os.chroot(sys.argv[1])
os.chdir("/tmp/work")
os.execv(sys.argv[2], sys.argv[2:])' "$root" "$@" /run/case.sh || status=$?
else
    cd "$FERRY_TEST_FOLDER"
    export HOME=$PWD
    unset FERRY_TEST_FOLDER
    mount -t proc proc /proc 2>/dev/null || :
    status=0
    "$@" "$script" || status=$?
fi
exit $status
