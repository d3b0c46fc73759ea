// The plan of a pass for people and programs: what each vector and mask is and shall be, as JSON or as a table.

import { alignColumns } from "./align-columns.ts";
import { type ContestedPin, formatContestedPin } from "../sriov/contested-pins.ts";
import { formatCpuList } from "../sriov/cpu-list.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { formatChannels, isSame, planChannels } from "./channel-plan.ts";
import type { VfPlan } from "./node-plan.ts";
import type { PassReport } from "./pass.ts";
import { describePolicy, formatPolicy, type PolicyReport } from "./policy-report.ts";
import type { Problem } from "./problem.ts";
import { Refusals } from "./refusals.ts";
import type { RfsTablePlan } from "./rfs-table.ts";
import type { ValueStep } from "./value-plan.ts";
import { describeVectors, type InterruptReadings, type VectorReport } from "./vector-report.ts";
import { maskFile } from "./vf-queues.ts";

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

export interface VfReport extends PolicyReport {
  readonly address: PciAddress;
  /** "namespace/name" of the pod, else its container. */
  readonly pod: string;
  readonly interface: string;
  readonly numaNode: number | undefined;
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
  readings: InterruptReadings,
  rfsTable?: RfsTablePlan,
): NodeReport {
  const vfs = plans.map((plan) => describeVf(plan, readings));
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
  const header = [
    "VF",
    "POD",
    "INTERFACE",
    "IRQ",
    "WHAT",
    "NOW",
    "EFFECTIVE",
    "COUNT",
    "PER S",
    "CAME ON",
    "TO",
    "STEP",
  ];
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
    ...vectors.map(({ irq, role, affinity, effective, count, perSecond, cameOn, cpu, step }) => [
      address,
      pod,
      name,
      `${irq}`,
      role,
      affinity ?? "-",
      effective || "-",
      `${count}`,
      `${perSecond ?? "-"}`,
      cameOn ?? "-",
      `${cpu ?? ""}`,
      step,
    ]),
    ...[...(rps ?? []), ...(xps ?? [])].map(({ queue, now, to }) => {
      const step = now === to ? "keep" : "write";
      return [
        address,
        pod,
        name,
        "",
        `${queue} ${maskFile(queue).slice(0, 3)}`,
        now,
        "",
        "",
        "",
        "",
        to,
        step,
      ];
    }),
    ...values.map(({ path, from, to }) => [address, pod, name, "", path, from, "", "", "", "", to, "write"]),
    ...(channels === undefined
      ? []
      : [[address, pod, name, "", "channels", channels.now, "", "", "", "", channels.to, "write"]]),
    ...threads.map(({ name: thread, cpus, to }) => {
      const place = to === undefined ? [cpus, "keep"] : [`${to}`, "pin"];
      return [address, pod, name, "", thread, cpus, "", "", "", "", ...place];
    }),
  ];
}

function explainVf(vf: VfReport): readonly string[] {
  const doubts = vf.vectors.filter(({ isConfirmed }) => isConfirmed === false);
  return [
    ...formatPolicy(vf.address, vf),
    ...doubts.map(
      ({ irq, cpu, cameOn, effective }) =>
        `${vf.address}: IRQ ${irq} is pinned to CPU ${cpu}, and comes on CPU ${cameOn || effective || "?"}`,
    ),
  ];
}

function describeVf(plan: VfPlan, readings: InterruptReadings): VfReport {
  const { target, masks, values, threads } = plan;
  const { record, vf } = target;
  const { pod, containerId } = record.owner;
  const listMasks = (prefix: string): readonly MaskReport[] | undefined =>
    target.masks
      ?.filter(({ queue }) => queue.startsWith(prefix))
      .map(({ queue, text }) => {
        const to = masks.find((step) => step.queue === queue)?.to ?? text;
        return { queue, now: text, to };
      });
  return {
    address: vf.address,
    pod: pod === undefined ? containerId : `${pod.namespace}/${pod.name}`,
    interface: record.interface,
    numaNode: vf.numaNode,
    ...describePolicy(target),
    vectors: describeVectors(plan, readings),
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
