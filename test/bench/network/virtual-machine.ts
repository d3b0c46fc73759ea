// Whether a hypervisor is below the machine: its NIC may be emulated then.

import { join } from "node:path";

import { listIfThere, readBytesIfThere, readIfThere } from "./kernel-files.ts";

/** Names that only virtual machines have, whatever the CPU. */
const hypervisors =
  /^(QEMU|KVM|KubeVirt|VMware|VMW|Xen|innotek|VirtualBox|Bochs|Parallels|BHYVE|Hyper-V|Apple Virtualization)/;
/** Names of clouds, which rent whole machines too: of those on x86 the CPU tells. */
const clouds = /^(Amazon EC2|Google Compute Engine|Virtual Machine|OpenStack|Alibaba Cloud|vServer|Droplet)/;

/**
 * Whether a hypervisor is below, by what CPU, firmware or kernel tell; `root`: where /sys and /proc are. On Arm no flag of the CPU
 * does. Source: arch/x86/include/asm/cpufeatures.h, X86_FEATURE_HYPERVISOR; systemd-detect-virt(1).
 */
export function isVirtualMachine(root = "/"): boolean {
  const flags = /^flags\s*:.*$/m.exec(readIfThere(join(root, "proc/cpuinfo")))?.[0];
  return (
    (flags !== undefined && /\shypervisor(\s|$)/.test(flags)) ||
    // Of Xen the kernel tells.
    readIfThere(join(root, "sys/hypervisor/type")) !== "" ||
    isMarkedVirtual(readBytesIfThere(join(root, "sys/firmware/dmi/entries/0-0/raw"))) ||
    isNamedVirtual(join(root, "sys/class/dmi/id"), flags !== undefined) ||
    isTreeVirtual(join(root, "proc/device-tree"))
  );
}

// Source: SMBIOS 3.4 (DSP0134), 7.1.2.2, BIOS characteristics, extension byte 2, bit 4; the second byte is the length.
function isMarkedVirtual(bios: Uint8Array): boolean {
  return (bios[1] ?? 0) >= 20 && ((bios[19] ?? 0) & 0x10) !== 0;
}

function isNamedVirtual(dmi: string, cpuTells: boolean): boolean {
  const [vendor = "", product = "", ...others] = [
    "sys_vendor",
    "product_name",
    "board_vendor",
    "bios_vendor",
    "product_version",
  ].map((name) => readIfThere(join(dmi, name)));
  const names = [vendor, product, ...others];
  if (names.some((name) => hypervisors.test(name))) return true;
  const isWhole = vendor === "Amazon EC2" && /\.metal(-|$)/.test(product);
  return !cpuTells && !isWhole && names.some((name) => clouds.test(name));
}

// Without ACPI the device tree has it. Source: Documentation/devicetree/bindings/arm/xen.txt, hw/arm/virt.c of QEMU.
function isTreeVirtual(tree: string): boolean {
  const nodes = listIfThere(tree);
  const isDummy = readIfThere(join(tree, "compatible")).includes("linux,dummy-virt");
  return isDummy || nodes.includes("hypervisor") || nodes.some((name) => name.startsWith("fw-cfg"));
}
