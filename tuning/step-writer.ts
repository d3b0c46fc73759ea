// Writes the steps of one VF's plan and reads each back; what the kernel refuses for good is remembered.

import { HostError, SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { formatCpuList } from "../sriov/cpu-list.ts";
import { parseCpuMask } from "../sriov/cpu-mask.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import type { PinStep } from "../sriov/placement.ts";
import { readAffinity, writeAffinity } from "../sriov/vectors.ts";
import type { MaskStep } from "./mask-plan.ts";
import { readNapiThread } from "./napi-threads.ts";
import type { TunedVf } from "./node-state.ts";
import { only } from "./pin-plan.ts";
import { describeProblem, type Problem, unsupported } from "./problem.ts";
import type { PassMemory } from "./pass-memory.ts";
import type { ThreadStep } from "./thread-plan.ts";
import type { ValueStep } from "./value-plan.ts";
import { maskFile, type VfQueues } from "./vf-queues.ts";

/** What steps that fail are remembered in. */
export type StepMemory = Pick<PassMemory, "refusals" | "fullCpus">;

/** Each method carries one step out and gives what is wrong with it, if anything; none throws what the node does. */
export class StepWriter {
  readonly #host: Pick<Host, "files" | "paths" | "threads">;
  readonly #vf: PciAddress;
  readonly #refusals: StepMemory["refusals"];
  readonly #fullCpus: StepMemory["fullCpus"];

  constructor(host: Pick<Host, "files" | "paths" | "threads">, vf: PciAddress, memory: StepMemory) {
    this.#host = host;
    this.#vf = vf;
    this.#refusals = memory.refusals;
    this.#fullCpus = memory.fullCpus;
  }

  pin(target: TunedVf, pin: PinStep): Problem | undefined {
    const about = `vector ${pin.msiIndex}`;
    const vector = target.vectors.find(({ msiIndex }) => msiIndex === pin.msiIndex);
    if (vector === undefined || only(pin.from) === pin.to) return undefined;
    const problem = this.#attempt(about, () => {
      writeAffinity(this.#host, vector.irq, `${pin.to}`);
      const got = readAffinity(this.#host, vector.irq) ?? [];
      if (only(got) === pin.to) return undefined;
      return this.#partial(
        about,
        `pinned IRQ ${vector.irq} to CPU ${pin.to}, read back "${formatCpuList(got)}"`,
      );
    });
    if (problem === undefined) return undefined;
    // As ENOENT, or EIO where it was open: nothing was refused, and it may come back under its number.
    if (this.#isGone(vector.irq)) return this.#partial(about, `IRQ ${vector.irq} went while it was pinned`);
    this.#refusals.addPin(pin.vf, vector, problem);
    if (problem.code === "ENOSPC") this.#fullCpus.add(pin, pin.to, problem);
    return problem;
  }

  #isGone(irq: number): boolean {
    try {
      return readAffinity(this.#host, irq) === undefined;
    } catch (error) {
      if (error instanceof HostError) return false;
      throw error;
    }
  }

  mask(queues: VfQueues | undefined, step: MaskStep): Problem | undefined {
    let { from } = step;
    const problem = this.#attempt(step.queue, () => {
      const got = queues?.write(step.queue, step.to);
      if (got === undefined || parseCpuMask(got).join() === parseCpuMask(step.to).join()) return undefined;
      from = got;
      const file = maskFile(step.queue);
      return this.#partial(step.queue, `wrote ${file} ${step.to} of ${step.queue}, the kernel kept ${got}`);
    });
    const isFinal = problem?.code === "EINVAL" || problem?.code === "PARTIAL";
    if (isFinal) this.#refusals.addMask(this.#vf, { ...step, from }, problem);
    return problem;
  }

  value(queues: VfQueues | undefined, step: ValueStep): Problem | undefined {
    try {
      const got = queues?.writeValue(step.path, step.to);
      if (got === undefined || got === step.to) return undefined;
      this.#refusals.addValue(this.#vf, { ...step, from: got });
      return unsupported(this.#vf, step.path, `wrote ${step.to}, the kernel kept ${got}`);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      // The queue went, as with other channels: nothing was refused, and it may come back.
      if (error.errno === "ENOENT") return describeProblem(this.#vf, step.path, error);
      this.#refusals.addValue(this.#vf, step);
      return unsupported(this.#vf, step.path, error.message);
    }
  }

  /** One that is gone, or whose pid is another's by now, is for the next pass to see. */
  thread(step: ThreadStep): Problem | undefined {
    if (readNapiThread(this.#host, step.pid)?.name !== step.name) return undefined;
    try {
      this.#host.threads.setCpus(step.pid, [step.to]);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (error.errno === "ESRCH") return undefined;
      this.#refusals.addThread(this.#vf, step);
      return unsupported(this.#vf, "threads", error.message);
    }
    const got = readNapiThread(this.#host, step.pid);
    if (got === undefined || only(got.cpus) === step.to) return undefined;
    this.#refusals.addThread(this.#vf, { ...step, from: got.cpus });
    const message = `${step.name} may run on CPUs ${formatCpuList(got.cpus)}, not on ${step.to} alone`;
    return unsupported(this.#vf, "threads", message);
  }

  #attempt(about: string, write: () => Problem | undefined): Problem | undefined {
    try {
      return write();
    } catch (error) {
      return describeProblem(this.#vf, about, error);
    }
  }

  #partial(about: string, message: string): Problem {
    return { vf: this.#vf, about, code: "PARTIAL", message };
  }
}
