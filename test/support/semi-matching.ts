// Optimal semi-matchings the textbook's way: one interrupt after the other along a path to the least loaded bin (Harvey et al., 2006).

/** The least sorted load vector when each of `demands` (the bins it may use) goes to one bin; `fixed`: loads that are there. */
export function findLeastLoads(
  demands: readonly (readonly string[])[],
  fixed: ReadonlyMap<string, number>,
): readonly number[] {
  const alike = new Map<string, Demand>();
  const load = new Map(fixed);
  for (const bins of demands) for (const bin of bins) load.set(bin, load.get(bin) ?? 0);
  for (const bins of demands) {
    const key = bins.join();
    const demand = alike.get(key) ?? { bins, placed: new Map() };
    alike.set(key, demand);
    pushAlongPath(demand, [...alike.values()], load);
  }
  return [...load.values()].toSorted((a, b) => b - a);
}

/** Demands for the same bins, and how many of them each bin has. */
interface Demand {
  readonly bins: readonly string[];
  readonly placed: Map<string, number>;
}

/** The way to a bin: `demand` puts one more into it, after `out` gave it one less of `demand`. */
interface Hop {
  readonly demand: Demand;
  readonly out: string | undefined;
}

function pushAlongPath(start: Demand, demands: readonly Demand[], load: Map<string, number>): void {
  const hops = new Map<string, Hop>();
  const seen = new Set<Demand>([start]);
  const queue: Hop[] = [{ demand: start, out: undefined }];
  for (let hop = queue.shift(); hop !== undefined; hop = queue.shift()) {
    for (const bin of hop.demand.bins) {
      if (hops.has(bin)) continue;
      hops.set(bin, hop);
      for (const other of demands) {
        if (seen.has(other) || (other.placed.get(bin) ?? 0) === 0) continue;
        seen.add(other);
        queue.push({ demand: other, out: bin });
      }
    }
  }
  const least = [...hops.keys()].reduce((best, bin) =>
    (load.get(bin) ?? 0) < (load.get(best) ?? 0) ? bin : best,
  );
  load.set(least, (load.get(least) ?? 0) + 1);
  for (let into: string | undefined = least; into !== undefined;) {
    const hop: Hop | undefined = hops.get(into);
    if (hop === undefined) return;
    hop.demand.placed.set(into, (hop.demand.placed.get(into) ?? 0) + 1);
    if (hop.out !== undefined) hop.demand.placed.set(hop.out, (hop.demand.placed.get(hop.out) ?? 0) - 1);
    into = hop.out;
  }
}
