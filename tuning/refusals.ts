// What the kernel refused, remembered so that it is not tried again until something about it changes.

import type { PciAddress } from "../sriov/pci-address.ts";
import { type ChannelStep, formatChannels } from "./channel-plan.ts";
import type { Problem } from "./problem.ts";
import type { ThreadStep } from "./thread-plan.ts";
import type { ValueStep } from "./value-plan.ts";

/** errno of a pin that no later try changes: the kernel places the interrupt itself (EIO on older kernels). */
const finalErrnos = new Set(["EPERM", "EIO"]);

/** Lives as long as the process; a restart tries everything once more. */
export class Refusals {
  readonly #pins = new Map<string, { readonly irq: number; readonly problem: Problem }>();
  readonly #masks = new Map<string, { readonly change: string; readonly problem: Problem }>();
  readonly #values = new Map<string, string>();
  readonly #threads = new Map<string, string>();
  readonly #channels = new Map<string, string>();

  /** Whether this vector, under its present IRQ number, can't be placed. */
  hasPin(vf: PciAddress, vector: PinnedVector): boolean {
    return this.findPin(vf, vector) !== undefined;
  }

  /** Why it can't be. */
  findPin(vf: PciAddress, { msiIndex, irq }: PinnedVector): Problem | undefined {
    const refusal = this.#pins.get(`${vf} ${msiIndex}`);
    return refusal?.irq === irq ? refusal.problem : undefined;
  }

  /** Remembers a refused pin if its errno, the problem's code, is a final one. */
  addPin(vf: PciAddress, { msiIndex, irq }: PinnedVector, problem: Problem): void {
    if (finalErrnos.has(problem.code)) this.#pins.set(`${vf} ${msiIndex}`, { irq, problem });
  }

  /** How this mask was refused or narrowed when the queue had `from`, if it was. */
  findMask(vf: PciAddress, step: MaskChange): Problem | undefined {
    const refusal = this.#masks.get(`${vf} ${step.queue}`);
    return refusal?.change === `${step.from} to ${step.to}` ? refusal.problem : undefined;
  }

  /** Remembers that writing `to` left the queue at `from`. */
  addMask(vf: PciAddress, step: MaskChange, problem: Problem): void {
    this.#masks.set(`${vf} ${step.queue}`, { change: `${step.from} to ${step.to}`, problem });
  }

  /** Whether this value was refused, or read back differently, when it was `from`. */
  hasValue(vf: PciAddress, step: ValueStep): boolean {
    return this.#values.get(`${vf} ${step.path}`) === `${step.from} to ${step.to}`;
  }

  /** Remembers that writing `to` left the value at `from`. */
  addValue(vf: PciAddress, step: ValueStep): void {
    this.#values.set(`${vf} ${step.path}`, `${step.from} to ${step.to}`);
  }

  /** Whether this thread, with these CPUs, can't be moved there. */
  hasThread(vf: PciAddress, step: ThreadStep): boolean {
    return this.#threads.get(`${vf} ${step.name}`) === `${step.from.join()} to ${step.to}`;
  }

  /** Remembers that the thread stayed where it was. */
  addThread(vf: PciAddress, step: ThreadStep): void {
    this.#threads.set(`${vf} ${step.name}`, `${step.from.join()} to ${step.to}`);
  }

  /** Whether the driver did not take these channels when the VF had `from`. */
  hasChannels(vf: PciAddress, step: ChannelStep): boolean {
    return this.#channels.get(vf) === `${formatChannels(step.from)} to ${formatChannels(step.to)}`;
  }

  /** Remembers that the VF kept the channels that it had. */
  addChannels(vf: PciAddress, step: ChannelStep): void {
    this.#channels.set(vf, `${formatChannels(step.from)} to ${formatChannels(step.to)}`);
  }

  /** Forgets VFs that are not in use any more. */
  keepOnly(vfs: ReadonlySet<string>): void {
    for (const memory of [this.#pins, this.#masks, this.#values, this.#threads, this.#channels])
      for (const key of memory.keys()) if (!vfs.has(key.split(" ", 1)[0] ?? "")) memory.delete(key);
  }
}

interface PinnedVector {
  readonly msiIndex: number;
  readonly irq: number;
}

interface MaskChange {
  readonly queue: string;
  readonly from: string;
  readonly to: string;
}
