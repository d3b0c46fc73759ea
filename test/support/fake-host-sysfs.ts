// The fake node's sysfs: real folders that show PFs, VFs and their queues, kept in step with the namespaces.

import * as fs from "node:fs";
import { basename, dirname, join, relative } from "node:path";

import { writeMask } from "./fake-mask.ts";

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
    driver_override: "(null)",
  };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(folder, name), `${text}\n`);
  setDriverLink(sysfs, device.address, device.driver);
  link(folder, join(sysfs, "bus/pci/devices", device.address));
}

/** Takes the device away. */
export function removePciDevice(sysfs: string, pf: string, vf: number, address: string): void {
  setDriverLink(sysfs, address, undefined);
  fs.rmSync(join(devicePath(sysfs, pf), `virtfn${vf}`));
  fs.rmSync(join(sysfs, "bus/pci/devices", address));
  fs.rmSync(devicePath(sysfs, address), { recursive: true });
  writeNumVfs(sysfs, pf);
}

/** The device's driver, both ways; `undefined`: none. */
export function setDriverLink(sysfs: string, address: string, driver: string | undefined): void {
  const at = join(devicePath(sysfs, address), "driver");
  const before = fs.existsSync(at) ? fs.realpathSync(at) : undefined;
  if (before !== undefined) fs.rmSync(join(before, address));
  fs.rmSync(at, { force: true });
  if (driver === undefined) return;
  const folder = addDriver(sysfs, driver);
  link(folder, at);
  link(devicePath(sysfs, address), join(folder, address));
}

/** The device's driver now, and what `driver_override` says. */
export function readDriver(
  sysfs: string,
  address: string,
): { readonly driver: string | undefined; readonly override: string } {
  const folder = devicePath(sysfs, address);
  const at = join(folder, "driver");
  const driver = fs.existsSync(at) ? basename(fs.realpathSync(at)) : undefined;
  return { driver, override: fs.readFileSync(join(folder, "driver_override"), "utf8").trim() };
}

/** A driver that is loaded; its folder. */
export function addDriver(sysfs: string, driver: string): string {
  const folder = join(sysfs, "bus/pci/drivers", driver);
  fs.mkdirSync(folder, { recursive: true });
  for (const file of [join(folder, "unbind"), join(sysfs, "bus/pci/drivers_probe")])
    if (!fs.existsSync(file)) fs.writeFileSync(file, "");
  return folder;
}

/** Makes the device a PF that can have `totalVfs` VFs and has none. Offset and stride are those of `vfAddress`. */
export function addPf(sysfs: string, pf: string, totalVfs: number): void {
  const files = { totalvfs: totalVfs, numvfs: 0, offset: 16, stride: 1, drivers_autoprobe: 1 };
  for (const [name, value] of Object.entries(files))
    fs.writeFileSync(join(devicePath(sysfs, pf), `sriov_${name}`), `${value}\n`);
}

/** Makes the device at `address` VF number `vf` of `pf`, with three interrupts from `firstIrq` on and an IOMMU group of its own. */
export function linkVf(
  sysfs: string,
  {
    pf,
    vf,
    address,
    firstIrq,
    group,
  }: Readonly<Record<"pf" | "address", string>> & Readonly<Record<"vf" | "firstIrq" | "group", number>>,
): void {
  const [folder, vfFolder] = [devicePath(sysfs, pf), devicePath(sysfs, address)];
  link(vfFolder, join(folder, `virtfn${vf}`));
  link(folder, join(vfFolder, "physfn"));
  fs.writeFileSync(join(vfFolder, "reset"), "");
  const iommu = join(sysfs, "kernel/iommu_groups", String(group));
  fs.mkdirSync(iommu, { recursive: true });
  link(iommu, join(vfFolder, "iommu_group"));
  for (const vector of [0, 1, 2])
    fs.writeFileSync(join(vfFolder, "msi_irqs", String(firstIrq + vector)), "msix\n");
  writeNumVfs(sysfs, pf);
}

function writeNumVfs(sysfs: string, pf: string): void {
  const folder = devicePath(sysfs, pf);
  const count = fs.readdirSync(folder).filter((name) => name.startsWith("virtfn")).length;
  fs.writeFileSync(join(folder, "sriov_numvfs"), `${count}\n`);
}

/** Shows a netdev of the device `address`, numbered by the kernel or named already, with one receive and one transmit queue of an eight-CPU machine. */
export function addNetdev(sysfs: string, name: string, address: string, isNamed = true): void {
  const folder = join(devicePath(sysfs, address), "net", name);
  fs.mkdirSync(join(folder, "queues/rx-0"), { recursive: true });
  fs.mkdirSync(join(folder, "queues/tx-0"), { recursive: true });
  fs.writeFileSync(join(folder, "queues/rx-0/rps_cpus"), "00\n");
  fs.writeFileSync(join(folder, "queues/rx-0/rps_flow_cnt"), "0\n");
  fs.writeFileSync(join(folder, "queues/tx-0/xps_cpus"), "00\n");
  fs.writeFileSync(join(folder, "queues/tx-0/xps_rxqs"), "0\n");
  fs.writeFileSync(join(folder, "threaded"), "0\n");
  fs.writeFileSync(join(folder, "name_assign_type"), isNamed ? "4\n" : "1\n");
  showNetdev(sysfs, name, address);
}

/** Takes the netdev away, with its queues. */
export function removeNetdev(sysfs: string, name: string, address: string): void {
  fs.rmSync(join(sysfs, "class/net", name));
  fs.rmSync(join(devicePath(sysfs, address), "net", name), { recursive: true });
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
  if (from.name !== to.name) fs.writeFileSync(join(target, "name_assign_type"), "4\n");
  if (!fs.existsSync(join(to.sysfs, "bus/pci/devices", address)))
    link(devicePath(to.sysfs, address), join(to.sysfs, "bus/pci/devices", address));
  showNetdev(to.sysfs, to.name, address);
}

/** Writes as sysfs does: masks and numbers of a netdev read back in the kernel's form; other files keep the text. Throws SystemCallError. */
export function writeSysfs(path: string, text: string): void {
  if (/(?:rps_cpus|xps_cpus|xps_rxqs)$/.test(path)) return writeMask(path, text);
  const isCount = path.endsWith("rps_flow_cnt") || path.endsWith("/threaded");
  fs.writeFileSync(path, isCount ? `${Number.parseInt(text, 10)}\n` : text);
}

/** Queue files and what they hold, as `rx-0 rps 00 flows 0 tx-0 xps 00`; behind that `rxqs 1` where it is not zero. */
export function formatQueues(sysfs: string, name: string): string {
  const folder = join(sysfs, "class/net", name, "queues");
  const words = { rps_cpus: "rps", rps_flow_cnt: "flows", xps_cpus: "xps", xps_rxqs: "rxqs" } as const;
  const queues = fs.readdirSync(folder).toSorted();
  return queues
    .map((queue) => {
      const files = Object.entries(words).filter(([file]) => fs.existsSync(join(folder, queue, file)));
      const values = files
        .map(([file, word]) => `${word} ${fs.readFileSync(join(folder, queue, file), "utf8").trim()}`)
        .filter((value) => value !== "rxqs 0");
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
