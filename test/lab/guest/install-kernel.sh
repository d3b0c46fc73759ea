#!/bin/sh
# install-kernel.sh ROOT: unpacks Debian's kernel into ROOT, without the initramfs and boot loader that its package would bring,
# and with those modules only that a node of the lab can need: udev loads every module whose device or CPU feature it sees, and
# each costs the emulated CPU a good part of a second. They are kept uncompressed for the same reason.
set -eu
root=$1

chroot "$root" sh -eu <<'INSIDE'
cd /tmp
package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
apt-get download -q "$package"
dpkg -x linux-image-*.deb /
rm linux-image-*.deb
INSIDE

release=$(basename "$root"/usr/lib/modules/*)
chroot "$root" depmod "$release"
cd "$root/usr/lib/modules/$release"
mkdir kept
# The ones wanted, and each one's dependencies as modules.dep has them ("module: dependency ...").
for wanted in \
  lib virt crypto/crc32c_generic fs/ext4 fs/overlayfs fs/fuse fs/autofs \
  net/802 net/8021q net/bridge net/core net/ipv4 net/ipv6 net/netfilter net/packet net/sched net/xfrm \
  drivers/net/bonding drivers/net/dummy drivers/net/ethernet/intel drivers/net/ifb drivers/net/ipvlan drivers/net/macvlan \
  drivers/net/tun drivers/net/veth drivers/net/virtio_net drivers/net/vrf drivers/net/vxlan \
  drivers/block/virtio_blk drivers/block/loop drivers/vfio; do
  grep "^kernel/$wanted[./]" modules.dep || { echo "no $wanted among the kernel's modules" >&2; exit 1; }
done >kept.dep
tr -d : <kept.dep | tr ' ' '\n' | sort -u | while read -r module; do
  mkdir -p "kept/$(dirname "$module")"
  mv "$module" "kept/$module"
done
rm -r kernel kept.dep
mv kept/kernel kernel
rmdir kept
find kernel -name '*.ko.xz' -exec xz --decompress {} +
chroot "$root" depmod "$release"
