#!/bin/sh
# pack-disk.sh WORK FILES GUEST STATE SIZE OUT [ARCHIVE...]: writes an ext4 image of GUEST with FILES laid over it and STATE as
# /var/lib/containerd, in which the image archives are imported first. STATE itself stays as it is.
# Runs in mount and PID namespaces of its own: whatever ends it, nothing stays mounted or running.
set -eu
work=$1 files=$2 guest=$3 state=$4 size=$5 out=$6
shift 6

# In memory: containerd waits for the disk after each file that it imports.
mount -t tmpfs tmpfs "$work"
mkdir "$work/root" "$work/import"
if [ $# -gt 0 ]; then
  cp --archive "$state" "$work/state"
  state=$work/state
  sh "$(dirname "$0")/import-images.sh" "$work/import" "$files" "$guest" "$state" "$@"
fi
mount -t overlay overlay -o "ro,lowerdir=$files:$guest" "$work/root"
mount --bind "$state" "$work/root/var/lib/containerd"
mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -O ^metadata_csum_seed -L lab -d "$work/root" "$out" "$size"
