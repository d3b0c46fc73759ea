// A machine as a temporary folder: /sys and /proc as the inventory, liveness and topology read them, and changes over time.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createFiles } from "../../host/files.ts";
import type { Host } from "../../host/host.ts";
import { createPaths } from "../../host/paths.ts";
import type { Machine, PfShape, VfException } from "../fixtures/machines.ts";
import { createFakeDevlink } from "./fake-devlink.ts";
import { planCpus } from "./fixture-cpus.ts";
import {
  deviceFolder,
  netFolder,
  planDevice,
  planDriver,
  planNetdev,
  planPf,
  planVfLinks,
  vfAddress,
} from "./fixture-devices.ts";
import { writeFolder, type FolderPlan } from "./fixture-folder.ts";
import { planProcesses, planUppers } from "./fixture-system.ts";

// Thousands of small files: in memory where there is a place for that.
const memory = fs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** The tree of a machine; disposing it removes the folder. Addresses are canonical PCI addresses. */
export class FixtureTree implements Disposable {
  readonly root: string;
  readonly host: Pick<Host, "files" | "paths" | "openDevlink">;
  /** What devices run, by PCI address and the name of a version. */
  readonly versions = new Map<string, ReadonlyMap<string, string>>();
  readonly machine: Machine;
  #nextNumber = 30;
  readonly #pfs = new Map<string, PfShape>();
  readonly #virtios = new Map<string, number>();
  #removed = 0;

  constructor(machine: Machine) {
    this.root = fs.mkdtempSync(join(memory, "virtfn-machine-"));
    this.machine = machine;
    this.host = {
      files: createFiles(),
      paths: createPaths(this.root),
      openDevlink: () => createFakeDevlink(this.versions),
    };
    this.#write({ ...planCpus(machine.cpus), ...planProcesses() });
    for (const nic of machine.plain ?? [])
      this.#addDevice({ ...nic, numaNode: -1, vectors: 5 }, nic.netdev, "pci", 4);
    for (const pf of machine.pfs) this.#addPf(pf);
    this.#write(planUppers(machine.uppers ?? [], (name) => this.#netdevFolder(name)));
  }

  /** What writing sriov_numvfs does: all VFs vanish, then `numVfs` new ones come, at the same addresses. */
  setNumVfs(pfAddress: string, numVfs: number): void {
    const pf = this.#pfOf(pfAddress);
    for (let index = 0; index < pf.numVfs; index += 1) this.#removeVf(pf, index);
    this.#pfs.set(pfAddress, { ...pf, numVfs, exceptions: {} });
    this.#write({ [`${deviceFolder(pfAddress)}/sriov_numvfs`]: String(numVfs) });
    for (let index = 0; index < numVfs; index += 1) this.#addVf(this.#pfOf(pfAddress), index, {});
  }

  /** Takes the VF's netdev out of this network namespace; its name. */
  moveAway(vf: string): string {
    const [name] = this.#removeNetdevs(vf);
    if (name === undefined) throw new Error(`${vf} has no netdev in this namespace`);
    return name;
  }

  /** Brings the VF's netdev (back) under a name. */
  bringHome(vf: string, name: string): void {
    this.#write(planNetdev(this.#netFolder(vf), { name, ifindex: this.#number(), queues: 1 }));
  }

  /** What udev does, and nobody who has it open notices. */
  rename(address: string, name: string): void {
    const [before] = this.#removeNetdevs(address);
    if (before === undefined) throw new Error(`${address} has no netdev in this namespace`);
    this.bringHome(address, name);
  }

  /** Binds the VF to another driver, or none; its netdev goes. */
  setDriver(vf: string, driver: string | undefined): void {
    this.#removeNetdevs(vf);
    fs.rmSync(join(this.root, this.#netFolder(vf)), { recursive: true, force: true });
    fs.rmSync(join(this.root, deviceFolder(vf), "driver"), { force: true });
    this.#write(planDriver({ address: vf, driver }));
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }

  #addPf(pf: PfShape): void {
    this.#pfs.set(pf.address, pf);
    this.#addDevice({ ...pf, vectors: 9 }, pf.netdev, pf.layout ?? "pci", 8);
    this.#write(planPf(pf));
    for (let index = 0; index < pf.numVfs; index += 1) this.#addVf(pf, index, pf.exceptions?.[index] ?? {});
  }

  #addVf(pf: PfShape, index: number, exception: VfException): void {
    const { driver = pf.vf.driver, isAway = false } = exception;
    const bound = "driver" in exception ? exception.driver : driver;
    const hasNetdevHere = bound === pf.vf.driver && !isAway;
    const name = hasNetdevHere ? `${pf.netdev.replace(/np\d+$/, "")}v${index}` : undefined;
    const vf = {
      ...pf,
      ...pf.vf,
      driver: bound,
      address: vfAddress(pf, index),
      numaNode: pf.vf.numaNode ?? -1,
    };
    this.#addDevice(vf, name, pf.layout ?? "pci", pf.vf.queues);
    this.#write(planVfLinks(pf, index));
    if (isAway) fs.mkdirSync(join(this.root, this.#netFolder(vf.address)), { recursive: true });
  }

  #addDevice(
    shape: Pick<PfShape, "address" | "vendor" | "device" | "class" | "numaNode"> & {
      readonly driver: string | undefined;
      readonly vectors: number;
    },
    name: string | undefined,
    layout: "pci" | "virtio",
    queues: number,
  ): void {
    const irqs =
      shape.driver === undefined ? [] : Array.from({ length: shape.vectors }, () => this.#number());
    const { address, driver, vendor, device, numaNode } = shape;
    const facts = { address, driver, vendor, device, numaNode, irqs, class: shape.class ?? "0x020000" };
    this.#write(planDevice({ ...facts, iommuGroup: this.#number() }, this.machine.cpus));
    if (layout === "virtio") this.#virtios.set(address, this.#number());
    if (name === undefined) return;
    this.#write(planNetdev(this.#netFolder(address), { name, ifindex: this.#number(), queues }));
  }

  // Moved aside, not deleted: a file system gives the inode of a deleted folder to the next one.
  #removeVf(pf: PfShape, index: number): void {
    const address = vfAddress(pf, index);
    const folder = join(this.root, deviceFolder(address));
    this.#removeNetdevs(address);
    fs.rmSync(join(this.root, "sys/bus/pci/devices", address));
    fs.rmSync(join(this.root, deviceFolder(pf.address), `virtfn${index}`));
    fs.mkdirSync(join(this.root, "removed"), { recursive: true });
    this.#removed += 1;
    fs.renameSync(folder, join(this.root, "removed", `${address}.${this.#removed}`));
  }

  #removeNetdevs(address: string): readonly string[] {
    const folder = join(this.root, this.#netFolder(address));
    const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
    for (const name of names) {
      fs.rmSync(join(folder, name), { recursive: true });
      fs.rmSync(join(this.root, "sys/class/net", name));
    }
    return names;
  }

  #netFolder(address: string): string {
    const virtio = this.#virtios.get(address);
    return netFolder(address, virtio === undefined ? "pci" : "virtio", virtio);
  }

  #netdevFolder(name: string): string {
    const target = fs.readlinkSync(join(this.root, "sys/class/net", name));
    return join("sys/class/net", target);
  }

  #pfOf(address: string): PfShape {
    const pf = this.#pfs.get(address);
    if (pf === undefined) throw new Error(`the machine has no PF ${address}`);
    return pf;
  }

  #number(): number {
    this.#nextNumber += 1;
    return this.#nextNumber;
  }

  #write(plan: FolderPlan): void {
    writeFolder(this.root, plan);
  }
}

/** The tree of `machine`, to be held by `using`. */
export function createFixtureTree(machine: Machine): FixtureTree {
  return new FixtureTree(machine);
}
