// What a program in userspace does with a VF of vfio-pci: opens its group, maps memory for DMA, reads its registers, resets it.
// vfio-map GROUP PCI-ADDRESS prints "mapped"; on a failure the call that failed.
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static void check(const char *call, int failed) {
  if (!failed) return;
  perror(call);
  exit(1);
}

int main(int count, char **words) {
  if (count != 3) return 2;
  char path[64];
  snprintf(path, sizeof path, "/dev/vfio/%s", words[1]);
  int container = open("/dev/vfio/vfio", O_RDWR);
  check("open /dev/vfio/vfio", container < 0);
  int group = open(path, O_RDWR);
  check("open the group", group < 0);
  struct vfio_group_status status = {.argsz = sizeof status};
  check("VFIO_GROUP_GET_STATUS", ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0);
  check("the group is not viable", (status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0);
  check("VFIO_GROUP_SET_CONTAINER", ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0);
  check("VFIO_SET_IOMMU", ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) < 0);
  size_t size = 1 << 20;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check("mmap", memory == MAP_FAILED);
  struct vfio_iommu_type1_dma_map map = {
      .argsz = sizeof map,
      .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
      .vaddr = (uintptr_t)memory,
      .iova = 0x100000,
      .size = size,
  };
  check("VFIO_IOMMU_MAP_DMA", ioctl(container, VFIO_IOMMU_MAP_DMA, &map) < 0);
  int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, words[2]);
  check("VFIO_GROUP_GET_DEVICE_FD", device < 0);
  struct vfio_region_info region = {.argsz = sizeof region, .index = VFIO_PCI_BAR0_REGION_INDEX};
  check("VFIO_DEVICE_GET_REGION_INFO", ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &region) < 0);
  uint32_t word;
  check("read BAR 0", pread(device, &word, sizeof word, region.offset) != sizeof word);
  check("VFIO_DEVICE_RESET", ioctl(device, VFIO_DEVICE_RESET) < 0);
  puts("mapped");
  return 0;
}
