// Interrupts of VFs: whether what tuning set holds, and whether they are spread at all.

import { type Check, count, type Finding, listSome, makeCheck, unknown, warn } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";
import type { PfQueues } from "./network-facts.ts";

type Pinned = Pick<DoctorFacts, "pins" | "vectors">;

export const interruptChecks: readonly Check[] = [
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
    name: "irq-spread",
    needs: ["vectors", "pins", "kernel"],
    find: findCrowd,
    ok: ({ vectors }) => {
      const { vfs, cpus } = countCpus(vectors);
      return `${count(vfs, "VF")} with interrupts, on ${count(cpus.size, "CPU")}`;
    },
  }),
  makeCheck({
    name: "pf-queues",
    needs: ["queues", "kernel"],
    find: ({ queues, kernel }) =>
      [...queues.values()].flatMap((pf) => judgeQueues(pf, kernel.onlineCpus.length)),
    ok: ({ queues }) => {
      const told = [...queues.values()].map(({ name, now }) => `${name} ${now ?? "(its driver tells none)"}`);
      return listSome(told) || "no PF has VFs";
    },
  }),
];

/** A PF with a queue for each CPU has lost none that would be of use. */
function judgeQueues({ name, now, before }: PfQueues, cpus: number): readonly Finding[] {
  if (now === undefined || now >= cpus) return [];
  if (before === undefined)
    return [
      unknown(
        `${name} has ${count(now, "queue")}; virtfn did not make its VFs, and nobody noted what it had before`,
      ),
    ];
  if (now >= before) return [];
  return [
    warn(`${name} has ${count(now, "queue")} since its VFs were made, and had ${before} before`, {
      expected: "the card takes queues of the PF for its VFs: the node's own traffic has fewer CPUs",
      fix: "give the node another port for traffic of its own, or this PF no VFs (numVfs: 0 in section provision)",
    }),
  ];
}

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

function findCrowd({ vectors, pins, kernel }: Pinned & Pick<DoctorFacts, "kernel">): readonly Finding[] {
  const { vfs, cpus } = countCpus(vectors);
  const [cpu] = cpus;
  if (vfs < 2 || cpus.size !== 1 || kernel.onlineCpus.length < 2) return [];
  const isWanted = [...vectors].every(
    ([address, own]) => countCpus(new Map([[address, own]])).vfs === 0 || pins.has(address),
  );
  if (isWanted) return [];
  return [
    warn(`all interrupts of ${vfs} VFs are served by CPU ${cpu}`, {
      expected: "spread over the CPUs of the card's NUMA node",
      fix: "run virtfn tuning (docs/tuning.md), or spread /proc/irq/N/smp_affinity_list by hand",
    }),
  ];
}

/** Of the interrupts of queues: the VFs that have any, and the CPUs that the hardware uses for them. */
function countCpus(vectors: DoctorFacts["vectors"]): {
  readonly vfs: number;
  readonly cpus: ReadonlySet<number>;
} {
  const used = [...vectors.values()].map((own) =>
    own.flatMap(({ role, action, effective }) =>
      role?.kind === "other" || action === undefined ? [] : effective,
    ),
  );
  return { vfs: used.filter((cpus) => cpus.length > 0).length, cpus: new Set(used.flat()) };
}
