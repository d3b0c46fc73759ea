// Pins of VFs' interrupts: whether they hold, and who moves them.

import { type ContestedPin, formatContestedPin, type Opponent } from "../../sriov/contested-pins.ts";
import { type Check, count, type Finding, listSome, makeCheck, warn } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";

type Pinned = Pick<DoctorFacts, "pins" | "vectors">;

export const pinChecks: readonly Check[] = [
  makeCheck({
    name: "irqbalance",
    needs: ["irqBalancers", "pins", "vectors"],
    find: (facts) => {
      const [running] = facts.irqBalancers;
      const pinned = listPinned(facts);
      if (running === undefined || pinned.length === 0) return [];
      const moved = pinned.filter(({ isHeld }) => !isHeld);
      const { pid, asks, banned, silence } = running;
      const free = asks ? [] : pinned.filter(({ irq }) => !banned.has(irq));
      if (free.length === 0 && moved.length === 0) return [];
      const what = [
        free.length === 0 ? "" : `, and does not know that it shall leave ${free.length} of them alone`,
        moved.length === 0
          ? ""
          : `, and ${moved.length} are not there any more (${listSome(moved.map(describe), 3)})`,
        silence === undefined ? "" : ` (${silence})`,
      ].join("");
      return [
        warn(`irqbalance (process ${pid}) runs beside ${count(pinned.length, "pinned interrupt")}${what}`, {
          expected: "none, or one that keeps off the interrupts of VFs in pods",
          fix: "start virtfn tuning, which tells it so, or read in its log why it can't; or: systemctl disable --now irqbalance",
        }),
      ];
    },
    ok: (facts) => {
      const pins = count(listPinned(facts).length, "pinned interrupt");
      return facts.irqBalancers.length === 0 ? `not running; ${pins}` : `running, and keeps off; ${pins}`;
    },
  }),
  makeCheck({
    name: "contested-pins",
    needs: ["contested"],
    find: ({ contested }) =>
      [...Map.groupBy(contested, ({ by }) => by)].flatMap(([by, pins]) => tellContested(by, pins)),
    ok: () => "nothing undoes pins of tuning again and again",
  }),
];

interface PinnedVector {
  readonly irq: number;
  readonly cpu: number;
  /** False when something else moved it. */
  readonly isHeld: boolean;
}

function listPinned({ pins, vectors }: Pinned): readonly PinnedVector[] {
  return [...pins].flatMap(([address, pinned]) =>
    pinned.flatMap(({ msiIndex, cpu }) => {
      const vector = vectors.get(address)?.find((one) => one.msiIndex === msiIndex);
      if (vector?.affinity === undefined) return [];
      const isHeld = vector.affinity.length === 1 && vector.affinity[0] === cpu;
      return [{ irq: vector.irq, cpu, isHeld }];
    }),
  );
}

function describe({ irq, cpu }: PinnedVector): string {
  return `${irq}, pinned to ${cpu}`;
}

const remedies: Readonly<Record<Opponent, string>> = {
  driver: "policy none for these VFs: their driver sets the affinity itself (docs/tuning.md)",
  irqbalance:
    "read in the log of virtfn tuning what irqbalance was told, or: systemctl disable --now irqbalance",
  udev: "take the VFs out of the rule that names smp_affinity: grep -r smp_affinity /etc/udev /usr/lib/udev",
  unknown: "look for scripts, tuned, or the container runtime that write /proc/irq/N/smp_affinity",
};

function tellContested(by: Opponent, pins: readonly ContestedPin[]): readonly Finding[] {
  const [first, ...rest] = pins;
  if (first === undefined) return [];
  const more = rest.length === 0 ? "" : `; and ${count(rest.length, "pin")} more`;
  return [warn(`${formatContestedPin(first)}${more}`, { expected: "a pin that holds", fix: remedies[by] })];
}
