#!/bin/sh
# install-kernel.sh ROOT: unpacks Debian's kernel into ROOT, without the initramfs and boot loader that its package would bring.
set -eu
root=$1

chroot "$root" sh -eu <<'INSIDE'
cd /tmp
package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
apt-get download -q "$package"
dpkg -x linux-image-*.deb /
rm linux-image-*.deb
cd /lib/modules/*/kernel
# Drivers of devices that the emulated machine can not have: two thirds of the size.
rm -rf sound drivers/gpu drivers/media drivers/staging drivers/iio drivers/bluetooth drivers/infiniband drivers/usb drivers/input \
  drivers/net/wireless drivers/ata drivers/scsi drivers/hwmon drivers/hid drivers/mtd net/bluetooth net/wireless net/mac80211
depmod "$(basename "$(dirname "$PWD")")"
INSIDE
