// Which steering masks of a VF's queues a pass writes: they follow from where the interrupts are.

import { ownerToken } from "../sriov/attachment.ts";
import { countMaskGroups, formatCpuMask, parseCpuMask } from "../sriov/cpu-mask.ts";
import { chooseRpsCpus } from "../sriov/rps.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import type { CpuTopology } from "../sriov/topology.ts";
import { chooseXpsCpus } from "../sriov/xps.ts";
import type { TunedVf } from "./node-state.ts";
import { describeProblem, type Problem } from "./problem.ts";
import type { Refusals } from "./refusals.ts";
import type { QueueMask } from "./vf-queues.ts";

/** One rps_cpus (of "rx-0") or xps_cpus (of "tx-0") to write; texts as the kernel has them. */
export interface MaskStep {
  readonly queue: string;
  readonly from: string;
  readonly to: string;
}

/** `problems`: what the kernel refused or narrowed, and is not told again. */
interface MaskPlan {
  readonly steps: readonly MaskStep[];
  readonly problems: readonly Problem[];
}

/** CPUs by MSI index of the interrupt. */
type IrqCpus = ReadonlyMap<number, number>;

/** Steps for the queues whose masks differ from what they shall be; `cpus`: where the interrupts are then. */
export function planMasks(
  topology: CpuTopology,
  target: TunedVf,
  cpus: IrqCpus,
  refusals: Refusals,
): MaskPlan {
  const { address } = target.vf;
  const wanted = new Map([...planRps(topology, target, cpus), ...planXps(topology, target, cpus)]);
  const plans = (target.masks ?? []).map((seen) => planMask(address, seen, wanted.get(seen.queue)));
  const changes = plans.flatMap(({ step }) => step ?? []);
  return {
    steps: changes.filter((step) => refusals.findMask(address, step) === undefined),
    problems: [
      ...plans.flatMap(({ problem }) => problem ?? []),
      ...changes.flatMap((step) => refusals.findMask(address, step) ?? []),
    ],
  };
}

/** One that is not understood must not keep other VFs from being tuned. */
function planMask(
  address: PciAddress,
  { queue, text }: QueueMask,
  mask: readonly number[] | undefined,
): { readonly step?: MaskStep; readonly problem?: Problem } {
  try {
    if (mask === undefined || mask.join() === parseCpuMask(text).join()) return {};
    return { step: { queue, from: text, to: formatCpuMask(mask, countMaskGroups(text)) } };
  } catch (error) {
    return { problem: describeProblem(address, queue, error) };
  }
}

type Masks = readonly (readonly [queue: string, cpus: readonly number[]])[];

function planRps(topology: CpuTopology, target: TunedVf, cpus: IrqCpus): Masks {
  const queues = listQueues(target, "rx-");
  return queues.map((number) => {
    const own = listIrqCpus(target, "rx", number, cpus);
    // All of them where it can't be told which one is the queue's.
    const irqCpus = own.length > 0 ? own : [...cpus.values()];
    return [`rx-${number}`, chooseRpsCpus(topology, target.rps, { irqCpus, queues: queues.length })];
  });
}

/** None where there is nothing to choose, or it can't be told which interrupt is whose: then what was before is put back. */
function planXps(topology: CpuTopology, target: TunedVf, cpus: IrqCpus): Masks {
  const queues = listQueues(target, "tx-");
  const irqCpus = new Map(
    queues.flatMap((number) => {
      const cpu = listIrqCpus(target, "tx", number, cpus)[0];
      return cpu === undefined ? [] : [[number, cpu] as const];
    }),
  );
  if (target.chosen.xps === "off" || queues.length < 2 || irqCpus.size < queues.length)
    return listOriginals(target);
  return [...chooseXpsCpus(topology, irqCpus)].map(([number, chosen]) => [`tx-${number}`, chosen]);
}

function listOriginals({ saved, record }: TunedVf): Masks {
  const masks = saved?.masks?.owner === ownerToken(record.owner) ? saved.masks.queues : [];
  return masks
    .filter(({ queue }) => queue.startsWith("tx-"))
    .map(({ queue, original }) => [queue, parseCpuMask(original)]);
}

function listQueues({ masks }: TunedVf, prefix: "rx-" | "tx-"): readonly number[] {
  const queues = (masks ?? []).filter(({ queue }) => queue.startsWith(prefix));
  return queues.map(({ queue }) => Number(queue.slice(prefix.length)));
}

function listIrqCpus(
  { vectors }: TunedVf,
  direction: "rx" | "tx",
  queue: number,
  cpus: IrqCpus,
): readonly number[] {
  return vectors.flatMap(({ msiIndex, role }) => {
    const isOwn =
      role?.kind === "queue" && [direction, "both"].includes(role.direction) && role.queue === queue;
    const cpu = isOwn ? cpus.get(msiIndex) : undefined;
    return cpu === undefined ? [] : [cpu];
  });
}
