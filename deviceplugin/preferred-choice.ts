// Chooses among the devices of a set of NUMA nodes, as each policy has it.
import type { AllocationPolicy } from "../sriov/resource-config.ts";
import type { FreeDevice, PreferenceRequest } from "./preferred-allocation.ts";

interface ChoiceRequest extends PreferenceRequest {
  /** Those of `available` that may be chosen: enough for `size`, with all of `mustInclude`. */
  readonly allowed: readonly FreeDevice[];
}

/** The best choice by the policy, then by records, then by PCI order. */
export function chooseDevices(
  policy: AllocationPolicy,
  { available, allowed, mustInclude, size }: ChoiceRequest,
): readonly FreeDevice[] {
  const fixed = allowed.filter(({ id }) => mustInclude.has(id));
  const others = allowed.filter(({ id }) => !mustInclude.has(id));
  const missing = Math.max(0, size - fixed.length);
  // The ones without a record come first; the sort keeps PCI order.
  const ordered = others.toSorted((a, b) => Number(a.hasRecord) - Number(b.hasRecord));
  const free = countByPf(available);
  switch (policy) {
    case "pack": {
      const freeOf = ({ pf }: FreeDevice): number => free.get(pf) ?? 0;
      return [...fixed, ...ordered.toSorted((a, b) => freeOf(a) - freeOf(b)).slice(0, missing)];
    }
    case "spread":
      return [...fixed, ...takeFromFullest(free, fixed, ordered, missing)];
    case "same-pf":
      return [...fixed, ...takeFromFewest(fixed, ordered, missing, others)];
    case "same-numa":
      return [...fixed, ...ordered.slice(0, missing)];
  }
}

/** How many of the devices each PF has. */
export function countByPf(devices: readonly FreeDevice[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { pf } of devices) counts.set(pf, (counts.get(pf) ?? 0) + 1);
  return counts;
}

/** All choices of `count` items, in order. */
export function combinations<T>(items: readonly T[], count: number): readonly (readonly T[])[] {
  if (count === 0) return [[]];
  return items.flatMap((item, at) =>
    combinations(items.slice(at + 1), count - 1).map((rest) => [item].concat(rest)),
  );
}

// One by one from the PF that has the most left; of several the one whose next device is to be preferred.
function takeFromFullest(
  free: ReadonlyMap<string, number>,
  fixed: readonly FreeDevice[],
  ordered: readonly FreeDevice[],
  missing: number,
): readonly FreeDevice[] {
  const left = new Map(free);
  const take = (pf: string): Map<string, number> => left.set(pf, (left.get(pf) ?? 0) - 1);
  for (const { pf } of fixed) take(pf);
  const queues = Map.groupBy(ordered, ({ pf }) => pf);
  const rank = new Map(ordered.map(({ id }, at) => [id, at]));
  const rankOf = ({ id }: FreeDevice): number => rank.get(id) ?? 0;
  const leftOf = ({ pf }: FreeDevice): number => left.get(pf) ?? 0;
  const taken: FreeDevice[] = [];
  while (taken.length < missing) {
    const heads = [...queues.values()].flatMap((queue) => queue[0] ?? []);
    const [next] = heads.toSorted((a, b) => leftOf(b) - leftOf(a) || rankOf(a) - rankOf(b));
    if (next === undefined) break;
    queues.get(next.pf)?.shift();
    take(next.pf);
    taken.push(next);
  }
  return taken;
}

/** So many sets of PFs are compared; with more of them the PFs with the most room are taken. */
const mostSets = 500;

// From the PFs that are in the choice already, and from as few others as have room for the rest.
function takeFromFewest(
  fixed: readonly FreeDevice[],
  ordered: readonly FreeDevice[],
  missing: number,
  inPciOrder: readonly FreeDevice[],
): readonly FreeDevice[] {
  const used = new Set(fixed.map(({ pf }) => pf));
  const room = countByPf(ordered);
  const roomOf = (pfs: Iterable<string>): number =>
    [...pfs].reduce((sum, pf) => sum + (room.get(pf) ?? 0), 0);
  const others = [...room.keys()]
    .filter((pf) => !used.has(pf))
    .toSorted((a, b) => (room.get(b) ?? 0) - (room.get(a) ?? 0));
  let count = 0;
  while (roomOf(used) + roomOf(others.slice(0, count)) < missing && count < others.length) count += 1;
  const sets =
    countCombinations(others.length, count) > mostSets
      ? [others.slice(0, count)]
      : combinations(others, count).filter((some) => roomOf(used) + roomOf(some) >= missing);
  const order = new Map(inPciOrder.map(({ id }, at) => [id, at]));
  const choices = sets.map((some) => {
    const pfs = new Set([...used, ...some]);
    return ordered.filter(({ pf }) => pfs.has(pf)).slice(0, missing);
  });
  return choices.reduce((best, choice) => (isBetter(choice, best, order) ? choice : best), choices[0] ?? []);
}

// Fewer with a record, then the first in PCI order. What else is in both choices changes nothing.
function isBetter(
  choice: readonly FreeDevice[],
  best: readonly FreeDevice[],
  order: ReadonlyMap<string, number>,
): boolean {
  const records = countRecords(choice) - countRecords(best);
  if (records !== 0) return records < 0;
  const [ours, theirs] = [choice, best].map((some) =>
    some.map(({ id }) => order.get(id) ?? 0).toSorted((a, b) => a - b),
  );
  const at = (ours ?? []).findIndex((position, index) => position !== theirs?.[index]);
  return at !== -1 && (ours?.[at] ?? 0) < (theirs?.[at] ?? 0);
}

function countRecords(devices: readonly FreeDevice[]): number {
  return devices.filter(({ hasRecord }) => hasRecord).length;
}

function countCombinations(items: number, count: number): number {
  let result = 1;
  for (let at = 0; at < count; at += 1) result = (result * (items - at)) / (at + 1);
  return result;
}
