// A fixture machine with interrupts, and `virtfn tuning` on it as processes of their own.

import * as fs from "node:fs";
import { join } from "node:path";

import { createClock } from "../../host/clock.ts";
import type { Host } from "../../host/host.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import { removeAttachment, writeAttachment } from "../../sriov/attachment-store.ts";
import { readInventory, readVf } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { type Machine, machines } from "../fixtures/machines.ts";
import { makeAttachment } from "./attached-vf.ts";
import { FixtureTree } from "./fixture-tree.ts";
import { writeFolder } from "./fixture-folder.ts";
import { sendUevent } from "./folder-uevents.ts";
import { readIrq, writeIrq } from "./irq-tree.ts";
import { irqWritesFile } from "./tuning-entry.ts";
import { waitFor } from "./wait-for.ts";

/** A machine with igb PFs, of 7 VFs unless told otherwise. VFs are named by their number. */
export class TuningMachine implements Disposable {
  readonly tree: FixtureTree;
  readonly root: string;
  readonly #host: Pick<Host, "files" | "paths" | "clock">;
  readonly #vfs: readonly PciAddress[];

  constructor(machine: Machine = machines.igb) {
    this.tree = new FixtureTree(machine);
    this.root = this.tree.root;
    this.#host = { ...this.tree.host, clock: createClock(this.tree.host.files, join(this.root, "proc")) };
    this.#vfs = [...readInventory(this.tree.host).vfs.keys()];
  }

  /** Registers the VF's interrupts and writes its record, as at the end of ADD, or with `adding` at its start. */
  attach(vf: number, pod: string, state: Attachment["state"] = "attached"): void {
    const address = this.#address(vf);
    const actions = ["net1-tx-0", "net1-rx-0", "net1"];
    for (const [at, irq] of this.#irqs(vf).entries())
      if (readIrq(this.root, irq) === "none") writeIrq(this.root, irq, actions[at] ?? "", "0-15");
    const record = makeAttachment(this.#host, { address, pod, netns: `/run/netns/${pod}` });
    writeAttachment(this.#host, { ...record, state });
  }

  /** Removes the record, as at the end of DEL. */
  detach(vf: number): void {
    removeAttachment(this.#host, this.#address(vf));
  }

  /** IRQ numbers of all VFs: tx, rx and mailbox of each. */
  irqs(): readonly number[] {
    return this.#vfs.flatMap((_, vf) => this.#irqs(vf));
  }

  /** The VF has these interrupts in place of its own: tx, rx and mailbox, ascending. */
  setIrqs(vf: number, irqs: readonly number[]): void {
    const folder = join(this.root, "sys/bus/pci/devices", this.#address(vf), "msi_irqs");
    for (const name of fs.readdirSync(folder)) fs.rmSync(join(folder, name));
    for (const irq of irqs) fs.writeFileSync(join(folder, `${irq}`), "msix\n");
  }

  /** Somebody writes the affinity of one of its interrupts. */
  setAffinity(vf: number, msiIndex: number, cpuList: string): void {
    const path = `proc/irq/${this.#irqs(vf)[msiIndex]}/smp_affinity_list`;
    fs.writeFileSync(join(this.root, path), `${cpuList}\n`);
  }

  /** These CPUs are online from now on, as a uevent tells. */
  setOnline(cpuList: string): void {
    writeFolder(this.root, { "sys/devices/system/cpu/online": cpuList });
    sendUevent(this.root, "cpu");
  }

  affinities(vf: number): string {
    return this.#irqs(vf)
      .map((irq) => readIrq(this.root, irq))
      .join(" ");
  }

  async waitForAffinities(vf: number, expected: string, timeoutMs?: number): Promise<void> {
    await waitFor(`affinities ${expected} of VF ${vf}`, () => this.affinities(vf) === expected, timeoutMs);
  }

  /** Writes to /proc/irq so far, one text each. */
  irqWrites(): readonly string[] {
    const path = join(this.root, irqWritesFile);
    return fs.existsSync(path) ? fs.readFileSync(path, "utf8").trim().split("\n") : [];
  }

  /** Starts `virtfn tuning` with these flags; its stdout is collected. */
  start(...flags: readonly string[]): TuningProcess {
    return new TuningProcess(this.root, flags);
  }

  [Symbol.dispose](): void {
    this.tree[Symbol.dispose]();
  }

  #address(vf: number): PciAddress {
    const address = this.#vfs[vf];
    if (address === undefined) throw new Error(`there is no VF ${vf}`);
    return address;
  }

  #irqs(vf: number): readonly number[] {
    return readVf(this.tree.host, this.#address(vf))?.irqs ?? [];
  }
}

/** Disposing it kills it. */
export class TuningProcess implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #output: Promise<string>;

  constructor(root: string, flags: readonly string[]) {
    const entry = join(import.meta.dirname, "tuning-entry.ts");
    this.#child = Bun.spawn([process.execPath, entry, root, ...flags], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#output = new Response(this.#child.stdout).text();
  }

  /** What it printed, and its exit code, when it has ended by itself. */
  async result(): Promise<{ readonly output: string; readonly exitCode: number }> {
    return { output: await this.#output, exitCode: await this.#child.exited };
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    this.#child.kill(signal);
    await this.#child.exited;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}
