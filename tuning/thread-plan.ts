// Which NAPI threads of a VF a pass pins: each to the CPU of its queue's interrupt.

import type { Vector } from "../sriov/vectors.ts";
import type { SeenNapi } from "./napi-threads.ts";
import type { TunedVf } from "./node-state.ts";
import { only } from "./pin-plan.ts";
import { type Problem, unsupported } from "./problem.ts";
import type { Refusals } from "./refusals.ts";

export interface ThreadStep {
  readonly pid: number;
  readonly name: string;
  readonly from: readonly number[];
  readonly to: number;
}

export interface ThreadPlan {
  readonly steps: readonly ThreadStep[];
  readonly problems: readonly Problem[];
}

/** `cpus`: where the interrupts are then, by MSI index. */
export function planThreads(
  target: TunedVf,
  cpus: ReadonlyMap<number, number>,
  refusals: Refusals,
): ThreadPlan {
  const { address } = target.vf;
  const napis = target.napis ?? [];
  const problems: Problem[] = [];
  const steps = napis.flatMap((napi, at): readonly ThreadStep[] => {
    if (napi.thread === undefined) return [];
    const vector = findVector(target, napi, at);
    const to = vector && cpus.get(vector.msiIndex);
    if (vector === undefined)
      problems.push(unsupported(address, "threads", "it can't be told which interrupt is whose"));
    if (to === undefined || only(napi.thread.cpus) === to) return [];
    const { pid, name, cpus: from } = napi.thread;
    if (!refusals.hasThread(address, { pid, name, from, to })) return [{ pid, name, from, to }];
    problems.push(unsupported(address, "threads", `${name} can't be moved to CPU ${to}`));
    return [];
  });
  return { steps, problems: problems.slice(0, 1) };
}

// Drivers add their NAPI instances in the order of their receive queues; newer ones tell the interrupt as well.
function findVector({ vectors, napis }: TunedVf, { irq }: SeenNapi, at: number): Vector | undefined {
  const queues = vectors.flatMap((vector) => {
    const { role } = vector;
    return role?.kind === "queue" && role.direction !== "tx" ? [{ vector, queue: role.queue }] : [];
  });
  if (irq !== undefined) return vectors.find((vector) => vector.irq === irq);
  if (queues.length !== napis?.length) return undefined;
  return queues.toSorted((a, b) => a.queue - b.queue)[at]?.vector;
}
