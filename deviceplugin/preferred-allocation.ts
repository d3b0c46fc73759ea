// Which of the free devices a container should get. The kubelet knows NUMA nodes, but not PFs, nor which VF is still in use.
import type { AllocationPolicy } from "../sriov/resource-config.ts";
import { chooseDevices, combinations, countByPf } from "./preferred-choice.ts";

/** A free device, as far as the choice goes by it. */
export interface FreeDevice {
  readonly id: string;
  readonly pf: string;
  readonly numaNode: number | undefined;
  /** A pod that is being taken down still has it. */
  readonly hasRecord: boolean;
}

export interface PreferenceRequest {
  /** In PCI order. */
  readonly available: readonly FreeDevice[];
  readonly mustInclude: ReadonlySet<string>;
  readonly size: number;
}

/**
 * `size` devices of `available`, or all when there are fewer: with those of `mustInclude`, on the fewest NUMA nodes, then as
 * the policy says, then with the fewest that have a record, then the first in PCI order. The same request has the same answer.
 */
export function preferDevices(policy: AllocationPolicy, request: PreferenceRequest): readonly string[] {
  const { available, mustInclude } = request;
  const size = Math.min(request.size, available.length);
  const candidates = findNodeSets({ available, mustInclude, size }).map((nodes) => {
    const allowed = available.filter(({ numaNode }) => nodes.has(numaNode));
    return chooseDevices(policy, { available, allowed, mustInclude, size });
  });
  const order = new Map(available.map(({ id }, at) => [id, at]));
  const costs = candidates.map((chosen) => costOf(policy, available, order, chosen));
  const best = costs.reduce((least, cost, at) => (compare(cost, costs[least] ?? cost) < 0 ? at : least), 0);
  return (candidates[best] ?? []).map(({ id }) => id);
}

/**
 * What is to be made small, in this order: the policy's numbers, devices with a record, positions in PCI order. All choices of
 * one request have as many numbers.
 */
export function costOf(
  policy: AllocationPolicy,
  available: readonly FreeDevice[],
  order: ReadonlyMap<string, number>,
  chosen: readonly FreeDevice[],
): readonly number[] {
  const records = chosen.filter(({ hasRecord }) => hasRecord).length;
  const positions = chosen.map(({ id }) => order.get(id) ?? 0).toSorted(ascending);
  return [...policyCost(policy, available, chosen), records, ...positions];
}

function policyCost(
  policy: AllocationPolicy,
  available: readonly FreeDevice[],
  chosen: readonly FreeDevice[],
): readonly number[] {
  switch (policy) {
    case "pack": {
      const free = countByPf(available);
      return chosen.map(({ pf }) => free.get(pf) ?? 0).toSorted(ascending);
    }
    case "spread": {
      const taken = countByPf(chosen);
      const left = [...countByPf(available)].map(([pf, count]) => count - (taken.get(pf) ?? 0));
      return left.toSorted((a, b) => b - a);
    }
    case "same-pf":
      return [countByPf(chosen).size];
    case "same-numa":
      return [];
  }
}

/** Compares two lists of numbers, the first difference counts. */
function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

type NodeSet = ReadonlySet<number | undefined>;

// The smallest sets of NUMA nodes that have room; a device of unknown node is on a node of its own kind.
function findNodeSets({ available, mustInclude, size }: PreferenceRequest): readonly NodeSet[] {
  const counts = new Map<number | undefined, number>();
  for (const { numaNode } of available) counts.set(numaNode, (counts.get(numaNode) ?? 0) + 1);
  const needed = new Set(available.filter(({ id }) => mustInclude.has(id)).map(({ numaNode }) => numaNode));
  const optional = [...counts.keys()].filter((node) => !needed.has(node));
  for (let extra = 0; extra <= optional.length; extra += 1) {
    const sets = combinations(optional, extra).map((some) => new Set([...needed, ...some]));
    const roomy = sets.filter(
      (nodes) => [...nodes].reduce((sum: number, node) => sum + (counts.get(node) ?? 0), 0) >= size,
    );
    if (roomy.length > 0) return roomy;
  }
  return [];
}

function ascending(a: number, b: number): number {
  return a - b;
}
