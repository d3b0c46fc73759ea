// The fake node's PCI bus: what writing to its files does, with the refusals of the kernel.

import * as fs from "node:fs";
import { join } from "node:path";

import { SystemCallError } from "../../host/errors.ts";
import type { FakeClock } from "./fake-host-clock.ts";
import type { FakeKernel } from "./fake-host-kernel.ts";
import { bindVf, setNumVfs, unbindVf } from "./fake-host-nic.ts";
import { readDriver } from "./fake-host-sysfs.ts";

/**
 * Writes a file of the PCI bus as the kernel takes it; false when `path` (below /sys) is another file. Source:
 * Documentation/ABI/testing/sysfs-bus-pci, drivers/base/bus.c.
 */
export function writePciFile(kernel: FakeKernel, clock: FakeClock, path: string, text: string): boolean {
  const parts = path.split("/");
  const [file = "", parent = ""] = [parts.at(-1), parts.at(-2)];
  const value = text.trim();
  switch (file) {
    case "sriov_numvfs": {
      const nic = kernel.nics.find(({ pf }) => pf.address === parent);
      const errno = nic === undefined ? "ENOENT" : setNumVfs(kernel, nic, Number(value), clock);
      if (errno !== undefined) throw new SystemCallError("write", path, errno);
      return true;
    }
    case "driver_override":
      fs.writeFileSync(join(kernel.host.sysfs, path), `${value === "" ? "(null)" : value}\n`);
      return true;
    case "unbind":
      if (
        !fs.existsSync(deviceFolder(kernel, value)) ||
        readDriver(kernel.host.sysfs, value).driver !== parent
      )
        throw new SystemCallError("write", path, "ENODEV");
      unbindVf(kernel, value);
      return true;
    case "reset":
      resetVf(kernel, path, parent);
      return true;
    case "drivers_probe":
      probe(kernel, clock, path, value);
      return true;
    default:
      return false;
  }
}

// Stricter than the kernel: where a network driver has the VF, some wait in it for ever.
function resetVf(kernel: FakeKernel, path: string, address: string): void {
  const { driver } = readDriver(kernel.host.sysfs, address);
  if (driver !== undefined && driver !== "vfio-pci") throw new SystemCallError("write", path, "EBUSY");
  kernel.resets.push(address);
}

// vfio-pci takes only what it is told to, and nothing outside an IOMMU group; no driver that fits is no error.
function probe(kernel: FakeKernel, clock: FakeClock, path: string, address: string): void {
  const folder = deviceFolder(kernel, address);
  if (!fs.existsSync(folder)) throw new SystemCallError("write", path, "ENODEV");
  const { driver: bound, override } = readDriver(kernel.host.sysfs, address);
  if (bound !== undefined) return;
  const driver = override === "(null)" ? undefined : override;
  if (driver !== undefined && !fs.existsSync(join(kernel.host.sysfs, "bus/pci/drivers", driver))) return;
  if (driver === "vfio-pci" && !fs.existsSync(join(folder, "iommu_group"))) return;
  bindVf(kernel, address, driver, clock);
}

function deviceFolder(kernel: FakeKernel, address: string): string {
  return join(kernel.host.sysfs, "bus/pci/devices", address);
}
