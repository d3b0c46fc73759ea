// The view of the node as text: a table of PFs, one of VFs, and why VFs are not offered or not healthy.

import { formatContestedPin } from "../../sriov/contested-pins.ts";
import { formatCpuList } from "../../sriov/cpu-list.ts";
import { formatPolicy } from "../../tuning/policy-report.ts";
import type { IrqView, NodeView, PfView, VfView } from "../node/device-view.ts";
import type { SubfunctionView } from "../node/subfunction-view.ts";
import { type Colour, formatTable, wrapText } from "../table.ts";

export interface StatusLayout {
  readonly isWide: boolean;
  readonly hasColours: boolean;
}

const lineWidth = 100;
const colours: ReadonlyMap<string, Colour> = new Map([
  ["healthy", "green"],
  ["unhealthy", "red"],
  ["left out", "grey"],
  ["up", "green"],
  ["down", "red"],
]);

/** The text, lines ended. Lines have at most 100 columns unless `isWide`, single long words apart. */
export function formatStatus(
  { pfs, vfs, subfunctions, contested, tuning, problems }: NodeView,
  layout: StatusLayout,
): string {
  if (pfs.length + vfs.length + subfunctions.length === 0) {
    return [`this node has no PF: no device with sriov_totalvfs`, ...formatProblems(problems), ""].join("\n");
  }
  const sections = [
    formatPfs(pfs, layout),
    formatVfs(vfs, layout),
    formatSubfunctions(subfunctions, layout),
    layout.isWide
      ? formatInterrupts(vfs, layout)
      : formatReasons([...vfs, ...subfunctions.map((one) => ({ ...one, address: one.name }))]),
    layout.isWide ? formatPolicies(vfs) : formatFallbacks(vfs),
    formatTuning(tuning),
    contested.flatMap((pin) => wrapText(formatContestedPin(pin), lineWidth)),
    formatProblems(problems),
  ].filter((lines) => lines.length > 0);
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function formatPfs(pfs: readonly PfView[], layout: StatusLayout): readonly string[] {
  const header = ["PF", "INTERFACE", "DRIVER", "NUMA", "VFS", "LINK", "MTU", "LEFT OUT"];
  const rows = pfs.map((pf) => [
    pf.address,
    pf.interface ?? "-",
    pf.driver ?? "-",
    show(pf.numaNode),
    `${pf.numVfs}/${pf.totalVfs}`,
    pf.link,
    show(pf.mtu),
    pf.reason,
  ]);
  return formatTable([header, ...rows], tableOptions(layout, [7, 1]));
}

function formatVfs(vfs: readonly VfView[], layout: StatusLayout): readonly string[] {
  if (vfs.length === 0) return [];
  if (!layout.isWide) {
    const header = ["VF", "RESOURCE", "HEALTH", "POD", "INTERFACE", "MAC", "VLAN", "NUMA", "CPUS"];
    const rows = vfs.map((vf) => [...commonCells(vf), formatCpus(vf.irqs)]);
    return formatTable([header, ...rows], tableOptions(layout, [3, 8, 1, 4]));
  }
  const header = ["VF", "RESOURCE", "HEALTH", "POD", "INTERFACE", "MAC", "VLAN", "NUMA"];
  const further = ["PF", "INDEX", "DRIVER", "CONTAINER", "IRQS", "REASON"];
  const rows = vfs.map((vf) => [
    ...commonCells(vf),
    vf.pfInterface ?? vf.pf ?? "-",
    show(vf.index),
    vf.driver ?? "-",
    vf.containerId?.slice(0, 12) ?? "-",
    formatIrqs(vf.irqs),
    vf.reason ?? "",
  ]);
  return formatTable([[...header, ...further], ...rows], tableOptions(layout, []));
}

function commonCells(vf: VfView): readonly string[] {
  return [
    vf.address,
    vf.resource ?? "-",
    vf.health,
    vf.pod === undefined ? (vf.containerId?.slice(0, 12) ?? "-") : `${vf.pod.namespace}/${vf.pod.name}`,
    vf.interface ?? "-",
    vf.mac ?? "-",
    vf.vlan === 0 ? "-" : show(vf.vlan),
    show(vf.numaNode),
  ];
}

function formatSubfunctions(all: readonly SubfunctionView[], layout: StatusLayout): readonly string[] {
  if (all.length === 0) return [];
  const header = ["SUBFUNCTION", "RESOURCE", "HEALTH", "POD", "INTERFACE", "MAC", "PF", "NUMBER", "NUMA"];
  const further = layout.isWide ? ["REASON"] : [];
  const rows = all.map((one) => [
    one.name,
    one.resource ?? "-",
    one.health,
    one.pod === undefined ? "-" : `${one.pod.namespace}/${one.pod.name}`,
    one.interface ?? "-",
    one.mac ?? "-",
    one.pfInterface ?? one.pf ?? "-",
    show(one.index),
    show(one.numaNode),
    ...further.map(() => one.reason ?? ""),
  ]);
  return formatTable([[...header, ...further], ...rows], tableOptions(layout, [3, 1, 6, 4]));
}

/** One text for each reason, with all that have it. */
function formatReasons(
  devices: readonly Readonly<Record<"address" | "health", string> & { reason: string | undefined }>[],
): readonly string[] {
  const groups = Map.groupBy(
    devices.filter(({ reason }) => reason !== undefined),
    ({ health, reason }) => `${health}, ${reason}`,
  );
  return [...groups].flatMap(([what, group]) =>
    wrapText(`${what}: ${group.map(({ address }) => address).join(" ")}`, lineWidth),
  );
}

/** A line for each interrupt of a VF in a pod: where it may go, where it goes, and how often it comes. */
function formatInterrupts(vfs: readonly VfView[], layout: StatusLayout): readonly string[] {
  const header = ["VF", "IRQ", "WHAT", "CPUS", "EFFECTIVE", "PINNED", "PER S", "CAME ON"];
  const rows = vfs
    .filter(({ policy }) => policy !== undefined)
    .flatMap(({ address, irqs }) =>
      irqs.map(({ irq, role, cpus, effective, pinnedTo, perSecond, cameOn }) => [
        address,
        `${irq}`,
        role,
        formatCpuList(cpus) || "-",
        formatCpuList(effective) || "-",
        show(pinnedTo),
        show(perSecond),
        formatCpuList(cameOn ?? []) || "-",
      ]),
    );
  return rows.length === 0 ? [] : formatTable([header, ...rows], tableOptions(layout, []));
}

function formatPolicies(vfs: readonly VfView[]): readonly string[] {
  return vfs.flatMap(({ address, policy }) => (policy === undefined ? [] : formatPolicy(address, policy)));
}

/** Policies that could not be met, and what is done instead. */
function formatFallbacks(vfs: readonly VfView[]): readonly string[] {
  return vfs.flatMap(({ address, policy }) =>
    policy === undefined || policy.notes.length === 0
      ? []
      : wrapText(`${address} policy ${policy.askedPolicy}: ${policy.notes.join("; ")}`, lineWidth),
  );
}

// Policies that fell back are told with the VFs, as they are now.
function formatTuning(problems: NodeView["tuning"]): readonly string[] {
  return problems
    .filter(({ about, code }) => about !== "policy" || code !== "FALLBACK")
    .flatMap(({ vf, about, code, message }) =>
      wrapText(`tuning of ${vf}, ${about}: ${code}: ${message}`, lineWidth),
    );
}

function formatProblems(problems: readonly string[]): readonly string[] {
  return problems.flatMap((problem) => wrapText(`problem: ${problem}`, lineWidth));
}

/** The CPUs that serve its queues: the mailbox of the driver may be anywhere. */
function formatCpus(irqs: readonly IrqView[]): string {
  return formatCpuList(irqs.flatMap(({ role, cpus }) => (role === "other" ? [] : cpus))) || "-";
}

/** "42>0 43>2-3 44>-": an interrupt and its CPUs, "!" behind one that tuning pinned. */
function formatIrqs(irqs: readonly IrqView[]): string {
  const texts = irqs.map(({ irq, cpus, pinnedTo }) => {
    const isPinned = pinnedTo !== undefined && cpus.length === 1 && cpus[0] === pinnedTo;
    return `${irq}>${formatCpuList(cpus) || "-"}${isPinned ? "!" : ""}`;
  });
  return texts.join(" ") || "-";
}

function show(value: number | undefined): string {
  return value === undefined ? "-" : String(value);
}

function tableOptions({ isWide, hasColours }: StatusLayout, flexible: readonly number[]) {
  const width = isWide ? undefined : lineWidth;
  return hasColours
    ? { width, flexible, colourOf: (cell: string) => colours.get(cell) }
    : { width, flexible };
}
