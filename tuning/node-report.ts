// The plan of a pass for people and programs: what each vector and mask is and shall be, as JSON or as a table.

import { alignColumns } from "./align-columns.ts";
import { type ContestedPin, formatContestedPin } from "../sriov/contested-pins.ts";
import { formatCpuList } from "../sriov/cpu-list.ts";
import { type InterruptCounts, sumCounts } from "../sriov/interrupt-counts.ts";
import { formatVectorRole } from "../sriov/irq-role.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import type { Vector } from "../sriov/vectors.ts";
import { formatChannels, isSame, planChannels } from "./channel-plan.ts";
import type { VfPlan } from "./node-plan.ts";
import type { PassReport } from "./pass.ts";
import { listQueueVectors } from "./pin-plan.ts";
import type { Problem } from "./problem.ts";
import { Refusals } from "./refusals.ts";
import type { RfsTablePlan } from "./rfs-table.ts";
import type { ValueStep } from "./value-plan.ts";
import { maskFile } from "./vf-queues.ts";

/** CPU sets in the kernel's list format; `cpu` is where the vector shall be, absent where it is left alone. */
export interface VectorReport {
  readonly msiIndex: number;
  readonly irq: number;
  readonly role: string;
  readonly affinity: string | undefined;
  readonly effective: string;
  /** How often it came since it was requested, on any CPU. */
  readonly count: number;
  readonly cpu: number | undefined;
  readonly step: "pin" | "keep" | "leave" | "wait" | "fixed" | "contested";
}

/** Masks as the kernel prints them. */
export interface MaskReport {
  readonly queue: string;
  readonly now: string;
  readonly to: string;
}

export interface ThreadReport {
  readonly pid: number;
  readonly name: string;
  readonly cpus: string;
  readonly to: number | undefined;
}

export interface VfReport {
  readonly address: PciAddress;
  /** "namespace/name" of the pod, else its container. */
  readonly pod: string;
  readonly interface: string;
  readonly numaNode: number | undefined;
  /** In force, and the one asked for, with who asked. */
  readonly policy: string;
  readonly askedPolicy: string;
  readonly askedBy: string;
  readonly candidates: string;
  /** Why each other online CPU is no candidate: CPU lists by reason. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly vectors: readonly VectorReport[];
  readonly rps: readonly MaskReport[] | undefined;
  /** Of transmit queues that have a choice. */
  readonly xps: readonly MaskReport[] | undefined;
  /** Other values of the netdev that change, by their path below its folder. */
  readonly values: readonly ValueStep[];
  /** Where they change, before the interrupts are pinned: "combined 4". */
  readonly channels: { readonly now: string; readonly to: string } | undefined;
  /** Threads of its NAPI: the CPUs that they may run on, and the one that they shall be on where that changes. */
  readonly threads: readonly ThreadReport[];
}

export interface NodeReport {
  /** Pins that something undoes again and again, as the daemon knows. */
  readonly contested: readonly ContestedPin[];
  readonly vfs: readonly VfReport[];
  readonly restore: readonly PciAddress[];
  /** Entries of the node's table of socket flows, where they change. */
  readonly rfsTable: RfsTablePlan | undefined;
  readonly problems: readonly Problem[];
}

/** The report of what was seen and planned. */
export function describeNode(
  { state, plans, problems, contested }: Pick<PassReport, "state" | "plans" | "problems" | "contested">,
  counts: InterruptCounts,
  rfsTable?: RfsTablePlan,
): NodeReport {
  const vfs = plans.map((plan) => describeVf(plan, counts));
  return {
    contested,
    vfs,
    restore: state.toRestore,
    rfsTable: rfsTable?.now === rfsTable?.to ? undefined : rfsTable,
    problems,
  };
}

/** The report as a table with one line per vector and per RPS mask, and for each VF why it is so. */
export function formatNodeReport(report: NodeReport): string {
  const header = ["VF", "POD", "INTERFACE", "IRQ", "WHAT", "NOW", "EFFECTIVE", "COUNT", "TO", "STEP"];
  const rows = report.vfs.flatMap(listRows);
  const lines = [
    ...(rows.length === 0 ? ["no VF is attached to a pod"] : alignColumns([header, ...rows])),
    ...report.vfs.flatMap(explainVf),
    ...report.contested.map(formatContestedPin),
    ...(report.rfsTable === undefined
      ? []
      : [`net.core.rps_sock_flow_entries: ${report.rfsTable.now} to ${report.rfsTable.to}`]),
    ...report.restore.map((address) => `${address}: no pod holds it, to be put back as it was`),
    ...report.problems.map(({ vf, about, code, message }) => `${vf} ${about}: ${code}: ${message}`),
  ];
  return `${lines.join("\n")}\n`;
}

function listRows({
  address,
  pod,
  interface: name,
  vectors,
  rps,
  xps,
  values,
  channels,
  threads,
}: VfReport): readonly (readonly string[])[] {
  return [
    ...vectors.map(({ irq, role, affinity, effective, count, cpu, step }) => {
      const to = cpu === undefined ? "" : `${cpu}`;
      return [address, pod, name, `${irq}`, role, affinity ?? "-", effective || "-", `${count}`, to, step];
    }),
    ...[...(rps ?? []), ...(xps ?? [])].map(({ queue, now, to }) => {
      const step = now === to ? "keep" : "write";
      return [address, pod, name, "", `${queue} ${maskFile(queue).slice(0, 3)}`, now, "", "", to, step];
    }),
    ...values.map(({ path, from, to }) => [address, pod, name, "", path, from, "", "", to, "write"]),
    ...(channels === undefined
      ? []
      : [[address, pod, name, "", "channels", channels.now, "", "", channels.to, "write"]]),
    ...threads.map(({ name: thread, cpus, to }) => {
      const place = to === undefined ? [cpus, "keep"] : [`${to}`, "pin"];
      return [address, pod, name, "", thread, cpus, "", "", ...place];
    }),
  ];
}

function explainVf(vf: VfReport): readonly string[] {
  const asked = vf.policy === vf.askedPolicy ? "" : ` instead of ${vf.askedPolicy}`;
  const line = `${vf.address}: policy ${vf.policy}${asked} (${vf.askedBy})`;
  if (vf.candidates === "") return [line];
  return [
    `${line}, CPUs ${vf.candidates}`,
    ...Object.entries(vf.leftOut).map(([reason, cpus]) => `  not ${cpus}: ${reason}`),
  ];
}

function describeVf(
  { target, pins, masks, values, threads, cpus, mailboxes, resting }: VfPlan,
  counts: InterruptCounts,
): VfReport {
  const { record, vf, vectors } = target;
  const { pod, containerId } = record.owner;
  const queues = new Set(listQueueVectors(target).map(({ msiIndex }) => msiIndex));
  const listMasks = (prefix: string): readonly MaskReport[] | undefined =>
    target.masks
      ?.filter(({ queue }) => queue.startsWith(prefix))
      .map(({ queue, text }) => {
        const to = masks.find((step) => step.queue === queue)?.to ?? text;
        return { queue, now: text, to };
      });
  const steps = new Set(pins.map(({ msiIndex }) => msiIndex));
  return {
    address: vf.address,
    pod: pod === undefined ? containerId : `${pod.namespace}/${pod.name}`,
    interface: record.interface,
    numaNode: vf.numaNode,
    policy: target.candidates.policy,
    askedPolicy: target.chosen.policy,
    askedBy: target.chosen.source,
    candidates: formatCpuList(target.candidates.cpus),
    leftOut: listLeftOut(target.candidates.leftOut),
    vectors: vectors.map((vector) => ({
      msiIndex: vector.msiIndex,
      irq: vector.irq,
      role: formatVectorRole(vector.role),
      affinity: vector.affinity === undefined ? undefined : formatCpuList(vector.affinity),
      effective: formatCpuList(vector.effective),
      count: sumCounts(counts, vector.irq),
      cpu: cpus.get(vector.msiIndex) ?? mailboxes.get(vector.msiIndex),
      step: resting.includes(vector.msiIndex)
        ? "contested"
        : describeStep(
            vector,
            target.candidates.policy !== "none" &&
              (queues.has(vector.msiIndex) || mailboxes.has(vector.msiIndex)),
            steps.has(vector.msiIndex),
          ),
    })),
    rps: listMasks("rx-"),
    xps: listMasks("tx-"),
    values,
    channels: describeChannels(target),
    threads: (target.napis ?? []).flatMap(({ thread }) => {
      if (thread === undefined) return [];
      const to = threads.find(({ name }) => name === thread.name)?.to;
      return [{ pid: thread.pid, name: thread.name, cpus: formatCpuList(thread.cpus), to }];
    }),
  };
}

function describeChannels(target: VfPlan["target"]): VfReport["channels"] {
  const { step } = planChannels(target, new Refusals());
  if (step === undefined || isSame(step.from, step.to)) return undefined;
  return { now: formatChannels(step.from), to: formatChannels(step.to) };
}

function listLeftOut(leftOut: ReadonlyMap<number, string>): Readonly<Record<string, string>> {
  const byReason = Map.groupBy(leftOut.keys(), (cpu) => leftOut.get(cpu) ?? "");
  return Object.fromEntries([...byReason].map(([reason, cpus]) => [reason, formatCpuList(cpus)]));
}

function describeStep(vector: Vector, isOurs: boolean, isPinned: boolean): VectorReport["step"] {
  if (isPinned) return "pin";
  if (!isOurs) return vector.role === undefined ? "wait" : "leave";
  if (vector.affinity === undefined) return "wait";
  return vector.affinity.length === 1 ? "keep" : "fixed";
}
