// The exchanges that a flow allows: one interrupt more on an arc, or one less, which leads against its direction.

import type { StepTable } from "./placement-cycles.ts";
import type { Arc, Network } from "./placement-network.ts";
import type { Objective } from "./placement-objectives.ts";

/**
 * Two steps for each arc: step 2n is one interrupt more on the n-th arc, step 2n + 1 one less. In plain arrays of numbers: a
 * large node has some hundred thousand, which the search for cycles goes through again and again.
 */
export class Steps implements StepTable {
  readonly nodeCount: number;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
  readonly costs: Float64Array;
  readonly #arcs: readonly Arc[];
  readonly #objective: Objective;

  constructor({ nodes, arcs }: Network, objective: Objective) {
    this.nodeCount = nodes.length;
    this.from = new Uint32Array(2 * arcs.length);
    this.to = new Uint32Array(2 * arcs.length);
    this.costs = new Float64Array(2 * arcs.length);
    this.#arcs = arcs;
    this.#objective = objective;
    for (const [at, arc] of arcs.entries()) {
      this.from[2 * at] = this.to[2 * at + 1] = arc.from.index;
      this.to[2 * at] = this.from[2 * at + 1] = arc.to.index;
      this.#weigh(at, arc);
    }
  }

  /** Carries the step out; the steps of its arc cost something else then. */
  take(step: number): void {
    const at = step >> 1;
    const arc = this.#arcs[at];
    if (arc === undefined) return;
    arc.flow += step % 2 === 0 ? 1 : -1;
    this.#weigh(at, arc);
  }

  #weigh(at: number, arc: Arc): void {
    const more = arc.flow < arc.capacity ? this.#objective(arc, arc.flow + 1) : Infinity;
    const less = arc.flow > 0 ? this.#objective(arc, arc.flow) : Infinity;
    this.costs[2 * at] = more;
    this.costs[2 * at + 1] = less < Infinity ? -less : Infinity;
  }
}
