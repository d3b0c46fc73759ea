// The fake node's sysfs: real folders that show PFs, VFs and their queues, kept in step with the namespaces.

import * as fs from "node:fs";
import { dirname, join, relative } from "node:path";

export interface FakePciDevice {
  readonly address: string;
  readonly driver: string;
  readonly numaNode: number;
  readonly vendor: string;
  readonly device: string;
}

/** The folder of a PCI device below /sys. */
function devicePath(sysfs: string, address: string): string {
  return join(sysfs, "devices/pci0000:00", address);
}

/** Makes the folder of a PCI device with what every NIC has, and the links that lead to it. */
export function addPciDevice(sysfs: string, device: FakePciDevice): void {
  const folder = devicePath(sysfs, device.address);
  fs.mkdirSync(join(folder, "msi_irqs"), { recursive: true });
  const files = {
    numa_node: String(device.numaNode),
    local_cpulist: "0-3",
    vendor: device.vendor,
    device: device.device,
    class: "0x020000",
  };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(folder, name), `${text}\n`);
  const driver = join(sysfs, "bus/pci/drivers", device.driver);
  fs.mkdirSync(driver, { recursive: true });
  link(driver, join(folder, "driver"));
  link(folder, join(sysfs, "bus/pci/devices", device.address));
}

/** Makes `pf` a PF with these VFs, numbered in the given order; each VF has three interrupts from `firstIrq` on. */
export function linkVfs(sysfs: string, pf: string, vfs: readonly string[], firstIrq: number): void {
  const folder = devicePath(sysfs, pf);
  fs.writeFileSync(join(folder, "sriov_totalvfs"), "8\n");
  fs.writeFileSync(join(folder, "sriov_numvfs"), `${vfs.length}\n`);
  for (const [number, vf] of vfs.entries()) {
    const vfFolder = devicePath(sysfs, vf);
    link(vfFolder, join(folder, `virtfn${number}`));
    link(folder, join(vfFolder, "physfn"));
    for (const vector of [0, 1, 2])
      fs.writeFileSync(join(vfFolder, "msi_irqs", String(firstIrq + number * 3 + vector)), "msix\n");
  }
}

/** Shows a netdev of the device `address`, with one receive and one transmit queue of an eight-CPU machine. */
export function addNetdev(sysfs: string, name: string, address: string): void {
  const folder = join(devicePath(sysfs, address), "net", name);
  fs.mkdirSync(join(folder, "queues/rx-0"), { recursive: true });
  fs.mkdirSync(join(folder, "queues/tx-0"), { recursive: true });
  fs.writeFileSync(join(folder, "queues/rx-0/rps_cpus"), "00\n");
  fs.writeFileSync(join(folder, "queues/rx-0/rps_flow_cnt"), "0\n");
  fs.writeFileSync(join(folder, "queues/tx-0/xps_cpus"), "00\n");
  showNetdev(sysfs, name, address);
}

/** Moves the netdev of `address` from one sysfs (or name) to another; its queues go along with what was written to them. */
export function moveNetdev(
  from: { readonly sysfs: string; readonly name: string },
  to: { readonly sysfs: string; readonly name: string },
  address: string,
): void {
  const source = join(devicePath(from.sysfs, address), "net", from.name);
  const target = join(devicePath(to.sysfs, address), "net", to.name);
  fs.mkdirSync(dirname(target), { recursive: true });
  for (const name of ["class/net", "bus/pci/devices"])
    fs.mkdirSync(join(to.sysfs, name), { recursive: true });
  fs.rmSync(join(from.sysfs, "class/net", from.name));
  fs.renameSync(source, target);
  if (!fs.existsSync(join(to.sysfs, "bus/pci/devices", address)))
    link(devicePath(to.sysfs, address), join(to.sysfs, "bus/pci/devices", address));
  showNetdev(to.sysfs, to.name, address);
}

/** Writes as sysfs does: a queue's mask reads back in the kernel's form, whatever was written; other files keep the text. */
export function writeSysfs(path: string, text: string): void {
  const isMask = path.endsWith("rps_cpus") || path.endsWith("xps_cpus");
  const isCount = path.endsWith("rps_flow_cnt");
  const value = Number.parseInt(text.replaceAll(",", "").trim(), isMask ? 16 : 10);
  if (isMask) fs.writeFileSync(path, `${value.toString(16).padStart(2, "0")}\n`);
  else fs.writeFileSync(path, isCount ? `${value}\n` : text);
}

/** Queue files and what they hold, as `rx-0 rps 00 flows 0 tx-0 xps 00`. */
export function formatQueues(sysfs: string, name: string): string {
  const folder = join(sysfs, "class/net", name, "queues");
  const words = { rps_cpus: "rps", rps_flow_cnt: "flows", xps_cpus: "xps" } as const;
  const queues = fs.readdirSync(folder).toSorted();
  return queues
    .map((queue) => {
      const files = Object.entries(words).filter(([file]) => fs.existsSync(join(folder, queue, file)));
      const values = files.map(
        ([file, word]) => `${word} ${fs.readFileSync(join(folder, queue, file), "utf8").trim()}`,
      );
      return `${queue} ${values.join(" ")}`;
    })
    .join(" ");
}

function showNetdev(sysfs: string, name: string, address: string): void {
  const folder = join(devicePath(sysfs, address), "net", name);
  if (!fs.existsSync(join(folder, "device"))) link(devicePath(sysfs, address), join(folder, "device"));
  link(folder, join(sysfs, "class/net", name));
}

function link(target: string, at: string): void {
  fs.mkdirSync(dirname(at), { recursive: true });
  fs.symlinkSync(relative(dirname(at), target), at);
}
