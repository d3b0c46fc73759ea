// Which driver has a VF: read, planned, and changed by way of driver_override.

import { SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { DriverError } from "./errors.ts";
import { isUserspaceDriver } from "./inventory.ts";
import type { PciAddress } from "./pci-address.ts";
import { pciFolder, readLinkName } from "./pci-device.ts";
import { readAttribute } from "./sysfs.ts";

/** `override` is the only driver that may have the device; "" is none such: the one that knows its ids. */
export interface DriverState {
  readonly driver: string | undefined;
  readonly override: string;
}

/** One write to a file of the PCI bus. */
export type DriverStep =
  | { readonly do: "override"; readonly driver: string }
  | { readonly do: "unbind"; readonly driver: string }
  | { readonly do: "probe" };

type Sysfs = Pick<Host, "files" | "paths">;

/** The device's driver now. Source: Documentation/ABI/testing/sysfs-bus-pci. */
export function readDriverState(host: Sysfs, address: PciAddress): DriverState {
  const folder = pciFolder(host, address);
  const override = readAttribute(host.files, `${folder}/driver_override`) ?? "";
  return { driver: readLinkName(host, `${folder}/driver`), override: override === "(null)" ? "" : override };
}

/** Steps from `current` to `wanted`; none when nothing differs. The driver is told first: a probe must not find another one. */
export function planDriver(current: DriverState, wanted: DriverState): readonly DriverStep[] {
  const steps: DriverStep[] = [];
  if (current.override !== wanted.override) steps.push({ do: "override", driver: wanted.override });
  if (current.driver === wanted.driver) return steps;
  if (current.driver !== undefined) steps.push({ do: "unbind", driver: current.driver });
  if (wanted.driver !== undefined) steps.push({ do: "probe" });
  return steps;
}

/**
 * Gives the device to the wanted driver; what was done is put back when it does not take it. A netdev goes with its driver, and
 * comes back a little after. The caller holds the VF's lock. Throws ERR_DRIVER.
 */
export function bindDriver(host: Sysfs, address: PciAddress, wanted: DriverState): void {
  const steps = planDriver(readDriverState(host, address), wanted);
  const name = wanted.driver ?? "none";
  changeDriver(host, address, { steps, name, isRight: (driver) => driver === wanted.driver });
}

/** What VFs of a resource shall have: vfio-pci, or whatever driver of the kernel knows them. */
export type DriverKind = "kernel" | "vfio-pci";

/** Steps that give the device a driver of that kind; none when it has one. */
export function planDriverKind(current: DriverState, kind: DriverKind): readonly DriverStep[] {
  if (kind === "vfio-pci") return planDriver(current, { driver: kind, override: kind });
  const { driver, override } = current;
  const isKernels = driver !== undefined && !isUserspaceDriver(driver);
  if (isKernels) return isUserspaceDriver(override) ? [{ do: "override", driver: "" }] : [];
  return [...planDriver(current, { driver: undefined, override: "" }), { do: "probe" }];
}

/** As `bindDriver`, with a driver of that kind. Throws ERR_DRIVER. */
export function bindDriverKind(host: Sysfs, address: PciAddress, kind: DriverKind): void {
  const steps = planDriverKind(readDriverState(host, address), kind);
  const isRight = (driver: string | undefined): boolean =>
    kind === "vfio-pci" ? driver === kind : driver !== undefined && !isUserspaceDriver(driver);
  changeDriver(host, address, { steps, name: kind, isRight });
}

interface DriverChange {
  readonly steps: readonly DriverStep[];
  /** For messages. */
  readonly name: string;
  readonly isRight: (driver: string | undefined) => boolean;
}

function changeDriver(host: Sysfs, address: PciAddress, { steps, name, isRight }: DriverChange): void {
  const before = readDriverState(host, address);
  try {
    apply(host, address, steps);
    const { driver } = readDriverState(host, address);
    if (!isRight(driver)) throw new DriverError(`expected the driver to take it, got ${driver ?? "none"}`);
  } catch (cause) {
    if (!(cause instanceof DriverError || cause instanceof SystemCallError)) throw cause;
    const problem = putBack(host, address, before);
    throw new DriverError(
      [`giving ${address} to the driver ${name}: ${cause.message}`, ...problem].join("; "),
      {
        cause,
      },
    );
  }
}

/** Why `driver` cannot take the device, before anything is changed; `undefined` when nothing speaks against it. */
export function findDriverObstacle(
  host: Sysfs,
  vf: { readonly address: PciAddress; readonly iommuGroup: number | undefined },
  driver: string,
): string | undefined {
  if (host.files.stat(`${host.paths.sys}/bus/pci/drivers/${driver}`) === undefined)
    return `the driver ${driver} is not loaded (modprobe ${driver})`;
  if (driver === "vfio-pci" && vf.iommuGroup === undefined)
    return `${vf.address} is in no IOMMU group: the machine's IOMMU is off`;
  return undefined;
}

function apply(host: Sysfs, address: PciAddress, steps: readonly DriverStep[]): void {
  const bus = `${host.paths.sys}/bus/pci`;
  for (const step of steps) {
    switch (step.do) {
      case "override":
        host.files.writeText(`${pciFolder(host, address)}/driver_override`, `${step.driver}\n`);
        break;
      case "unbind":
        host.files.writeText(`${bus}/drivers/${step.driver}/unbind`, address);
        break;
      case "probe":
        host.files.writeText(`${bus}/drivers_probe`, address);
        break;
    }
  }
}

function putBack(host: Sysfs, address: PciAddress, before: DriverState): readonly string[] {
  try {
    apply(host, address, planDriver(readDriverState(host, address), before));
    return [];
  } catch (error) {
    return [`its driver before could not be put back: ${String(error)}`];
  }
}
