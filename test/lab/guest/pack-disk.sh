#!/bin/sh
# pack-disk.sh WORK FILES GUEST STATE SIZE OUT: writes an ext4 image of GUEST with FILES laid over it and STATE as /var/lib/containerd.
# Runs in a mount namespace of its own: whatever ends it, nothing stays mounted.
set -eu
tree=$1 files=$2 guest=$3 state=$4 size=$5 out=$6

mount -t tmpfs tmpfs "$tree"
mkdir "$tree/root"
mount -t overlay overlay -o "ro,lowerdir=$files:$guest" "$tree/root"
mount --bind "$state" "$tree/root/var/lib/containerd"
mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -O ^metadata_csum_seed -L lab -d "$tree/root" "$out" "$size"
