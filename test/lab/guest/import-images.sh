#!/bin/sh
# import-images.sh WORK FILES GUEST STATE ARCHIVE...: imports image archives with the guest's own containerd into STATE, a folder that
# becomes its /var/lib/containerd. Runs in mount and PID namespaces of its own: whatever ends it, nothing stays mounted or running.
set -eu
root=$1 files=$2 guest=$3 state=$4
shift 4

mount -t tmpfs tmpfs "$root"
mkdir "$root/changes" "$root/work" "$root/tree"
tree=$root/tree
mount -t overlay overlay -o "lowerdir=$files:$guest,upperdir=$root/changes,workdir=$root/work" "$tree"
mount -t proc proc "$tree/proc"
mount -t sysfs -o ro sysfs "$tree/sys"
mount -t tmpfs tmpfs "$tree/run"
mount --rbind /dev "$tree/dev"
mount --bind "$state" "$tree/var/lib/containerd"

cat >"$tree/run/import.toml" <<CONFIG
version = 3
disabled_plugins = ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime', 'io.containerd.nri.v1.nri', 'io.containerd.tracing.processor.v1.otlp', 'io.containerd.internal.v1.tracing', 'io.containerd.snapshotter.v1.btrfs', 'io.containerd.snapshotter.v1.zfs', 'io.containerd.snapshotter.v1.blockfile', 'io.containerd.snapshotter.v1.devmapper', 'io.containerd.snapshotter.v1.erofs']
CONFIG
chroot "$tree" containerd --config /run/import.toml >"$tree/run/containerd.log" 2>&1 &
daemon=$!
tries=0
until [ -S "$tree/run/containerd/containerd.sock" ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ] || ! kill -0 "$daemon" 2>/dev/null; then
    cat "$tree/run/containerd.log" >&2
    echo "the guest's containerd did not start" >&2
    exit 1
  fi
  sleep 0.1
done

for archive in "$@"; do
  chroot "$tree" ctr --namespace k8s.io images import --local --discard-unpacked-layers - <"$archive" || {
    tail -n 20 "$tree/run/containerd.log" >&2
    exit 1
  }
done
chroot "$tree" ctr --namespace k8s.io images list
# Layers are unpacked: their archives only make the disk larger.
chroot "$tree" ctr --namespace k8s.io content prune references >/dev/null
kill "$daemon"
wait "$daemon" || true
