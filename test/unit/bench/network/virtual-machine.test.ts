// Tests test/bench/network/virtual-machine.ts on a folder in the place of /sys and /proc, as such machines show themselves.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { isVirtualMachine } from "../../../bench/network/virtual-machine.ts";
import { writeFolder } from "../../../support/fixture-folder.ts";

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "virtfn-machine-"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const x86 = { "proc/cpuinfo": "model name : hypervisor\nflags : fpu vme\n" };
const arm = { "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd evtstrm\n" };

/** As the firmware names it: maker, product and its version. */
function named(vendor: string, product: string, version = "1.0"): Readonly<Record<string, string>> {
  const folder = "sys/class/dmi/id";
  return {
    [`${folder}/sys_vendor`]: vendor,
    [`${folder}/product_name`]: product,
    [`${folder}/product_version`]: version,
  };
}

/** The firmware's table with this byte among its characteristics. */
function marked(byte: number): Readonly<Record<string, string>> {
  const table = ["\0", "\u001A", "\0".repeat(17), String.fromCodePoint(byte), "\0".repeat(6)].join("");
  return { "sys/firmware/dmi/entries/0-0/raw": table };
}

test.each([
  ["x86 by a flag of its CPUs", { "proc/cpuinfo": "processor : 0\nflags\t\t: fpu vme hypervisor lahf_lm\n" }],
  ["x86 that hides the flag, by its maker", { ...x86, ...named("QEMU", "Standard PC (Q35 + ICH9, 2009)") }],
  ["Graviton", { ...arm, ...named("Amazon EC2", "m7g.4xlarge") }],
  ["Ampere of Azure", { ...arm, ...named("Microsoft Corporation", "Virtual Machine") }],
  ["Cobalt, by its version", { ...arm, ...named("Microsoft", "VM", "Hyper-V UEFI Release v4.1") }],
  ["Ampere of Oracle's cloud", { ...arm, ...named("QEMU", "KVM Virtual Machine") }],
  ["Axion", { ...arm, ...named("Google", "Google Compute Engine") }],
  ["Ampere of Hetzner", { ...arm, ...named("Hetzner", "vServer") }],
  ["OpenStack on Arm", { ...arm, ...named("OpenStack Foundation", "OpenStack Nova") }],
  ["KubeVirt on Arm", { ...arm, ...named("KubeVirt", "None") }],
  ["one whose firmware says so", { ...arm, ...named("Somebody", "Something"), ...marked(0x1c) }],
  ["Xen on Arm", { ...arm, "sys/hypervisor/type": "xen" }],
  [
    "KVM that says so in the device tree",
    { ...arm, "proc/device-tree/hypervisor/compatible": "linux,kvm\0" },
  ],
  ["QEMU without ACPI", { ...arm, "proc/device-tree/compatible": "linux,dummy-virt\0" }],
  ["QEMU on another board", { ...arm, "proc/device-tree/fw-cfg@9020000/reg": "" }],
])("a virtual machine: %s", (_, files) => {
  writeFolder(root, files);
  expect(isVirtualMachine(root)).toBe(true);
});

test.each([
  ["nothing that tells", {}],
  ["a server", { ...x86, ...named("Dell Inc.", "PowerEdge R760") }],
  ["a whole machine of a cloud", { ...x86, ...named("Google", "Google Compute Engine") }],
  ["a whole Graviton", { ...arm, ...named("Amazon EC2", "m7g.metal") }],
  ["another one", { ...arm, ...named("Amazon EC2", "c7gd.metal-48xl"), ...marked(0x0c) }],
  ["an Ampere server", { ...arm, ...named("Ampere(R)", "Mt. Jade") }],
  ["an Arm board", { ...arm, "proc/device-tree/compatible": "raspberrypi,5-model-b\0brcm,bcm2712\0" }],
])("hardware: %s", (_, files) => {
  writeFolder(root, files);
  expect(isVirtualMachine(root)).toBe(false);
});
