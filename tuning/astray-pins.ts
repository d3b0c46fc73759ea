// Pins that the kernel took, and whose interrupts come elsewhere all the same: nothing but a later look tells.

import type { Host } from "../host/host.ts";
import { formatCpuList } from "../sriov/cpu-list.ts";
import { readInterruptCounts, sumCounts } from "../sriov/interrupt-counts.ts";
import { isPinConfirmed } from "../sriov/interrupt-rates.ts";
import { irqKey } from "../sriov/placement.ts";
import { readEffective } from "../sriov/vectors.ts";
import type { PassReport } from "./pass.ts";
import { listPlacedPins, type PlacedPin } from "./placed-pins.ts";
import { describeProblem, type Problem } from "./problem.ts";

type Eyes = Pick<Host, "files" | "paths">;

/** Lives as long as the process: what is astray is known from the second look on. */
export class AstrayPins {
  readonly #host: Eyes;
  /** By IRQ number, of pins that the hardware did not follow at the last look: how often they had come, and what was told. */
  #doubts: ReadonlyMap<number, { readonly count: number; readonly isTold: boolean }> = new Map();

  constructor(host: Eyes) {
    this.#host = host;
  }

  /**
   * What is wrong with pins that were in their place at this look and the one before. An interrupt that did not come since may
   * be one that the kernel moves when it comes the next time: it has come, and its effective CPU still differs.
   */
  add(report: Pick<PassReport, "plans" | "applied">): readonly Problem[] {
    try {
      const pinned = listPinned(report);
      const seen = listEffective(report);
      // What was not pinned just now is not read again: it is where the pass saw it.
      const doubtful = listPlacedPins(report).filter((pin) =>
        pinned.has(irqKey(pin)) ? this.#isDoubtful(pin) : isAstray(pin, seen.get(pin.irq) ?? []),
      );
      return this.#look(doubtful, pinned);
    } catch (error) {
      return [describeProblem("node", "interrupts", error)];
    }
  }

  /** `pinned`: what was pinned since the look before, where it came elsewhere by right. */
  #look(doubtful: readonly PlacedPin[], pinned: ReadonlySet<string>): readonly Problem[] {
    const counts = doubtful.length === 0 ? new Map() : readInterruptCounts(this.#host);
    const doubts = doubtful.map((pin) => {
      const before = pinned.has(irqKey(pin)) ? undefined : this.#doubts.get(pin.irq);
      const count = sumCounts(counts, pin.irq);
      const hasCome = before !== undefined && count > before.count;
      // It may have come, and moved with that, since it was seen.
      const isTold = (before?.isTold === true || hasCome) && this.#isDoubtful(pin);
      return { pin, count, isTold };
    });
    this.#doubts = new Map(doubts.map(({ pin, count, isTold }) => [pin.irq, { count, isTold }] as const));
    return doubts.flatMap(({ pin, isTold }) => (isTold ? [this.#describe(pin)] : []));
  }

  #isDoubtful(pin: PlacedPin): boolean {
    return isAstray(pin, readEffective(this.#host, pin.irq));
  }

  #describe({ vf, msiIndex, irq, cpu }: PlacedPin): Problem {
    const effective = formatCpuList(readEffective(this.#host, irq));
    const message = `IRQ ${irq} is pinned to CPU ${cpu}, and comes on CPU ${effective}`;
    return { vf, about: `vector ${msiIndex}`, code: "PARTIAL", message };
  }
}

/** Where the kernel does not tell, it is not. */
function isAstray({ cpu }: PlacedPin, effective: readonly number[]): boolean {
  return effective.length > 0 && !isPinConfirmed(cpu, { rate: undefined, effective });
}

/** As the pass saw them before it pinned any, by IRQ number. */
function listEffective({ plans }: Pick<PassReport, "plans">): ReadonlyMap<number, readonly number[]> {
  const vectors = plans.flatMap(({ target }) => target.vectors);
  return new Map(vectors.map(({ irq, effective }) => [irq, effective] as const));
}

function listPinned({ applied }: Pick<PassReport, "applied">): ReadonlySet<string> {
  const keys = [...applied].flatMap(([vf, { pinned }]) => pinned.map((msiIndex) => irqKey({ vf, msiIndex })));
  return new Set(keys);
}
