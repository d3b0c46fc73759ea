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
      const isKept = isToldToKeepOff(
        running.args,
        pinned.map(({ irq }) => irq),
      );
      if (isKept && moved.length === 0) return [];
      const what =
        moved.length === 0
          ? ""
          : `, and ${moved.length} are not there any more (${listSome(moved.map(describe), 3)})`;
      return [
        warn(
          `irqbalance (process ${running.pid}) runs beside ${count(pinned.length, "pinned interrupt")}${what}`,
          {
            expected: "none, or one that keeps off the interrupts of VFs in pods",
            fix: "systemctl disable --now irqbalance, or start it with --policyscript that bans them",
          },
        ),
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

/** By a script that decides, or because each is banned. Source: irqbalance(1). */
function isToldToKeepOff(args: readonly string[], irqs: readonly number[]): boolean {
  const hasScript = args.some((arg) => arg.startsWith("--policyscript") || arg === "-l");
  const banned = new Set(
    args.flatMap((arg, at) => {
      const [, joined] = /^--banirq=(\d+)$/.exec(arg) ?? [];
      if (joined !== undefined) return [Number(joined)];
      return arg === "-i" || arg === "--banirq" ? [Number(args[at + 1])] : [];
    }),
  );
  return hasScript || irqs.every((irq) => banned.has(irq));
}

function describe({ irq, cpu }: PinnedVector): string {
  return `${irq}, pinned to ${cpu}`;
}

const remedies: Readonly<Record<Opponent, string>> = {
  driver: "policy none for these VFs: their driver sets the affinity itself (docs/tuning.md)",
  irqbalance: "keep irqbalance from moving interrupts of VFs, or: systemctl disable --now irqbalance",
  udev: "take the VFs out of the rule that names smp_affinity: grep -r smp_affinity /etc/udev /usr/lib/udev",
  unknown: "look for scripts, tuned, or the container runtime that write /proc/irq/N/smp_affinity",
};

function tellContested(by: Opponent, pins: readonly ContestedPin[]): readonly Finding[] {
  const [first, ...rest] = pins;
  if (first === undefined) return [];
  const more = rest.length === 0 ? "" : `; and ${count(rest.length, "pin")} more`;
  return [warn(`${formatContestedPin(first)}${more}`, { expected: "a pin that holds", fix: remedies[by] })];
}
