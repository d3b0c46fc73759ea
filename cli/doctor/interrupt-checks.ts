// Interrupts of VFs: whether they are spread at all; and queues of PFs.

import { type Check, count, type Finding, listSome, makeCheck, unknown, warn } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";
import type { PfQueues } from "./network-facts.ts";

export const interruptChecks: readonly Check[] = [
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

function findCrowd({
  vectors,
  pins,
  kernel,
}: Pick<DoctorFacts, "pins" | "vectors" | "kernel">): readonly Finding[] {
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
