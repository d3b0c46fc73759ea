// docs/metrics.md, made from the metrics that the programs register and from the table of drivers.

import type { Registry } from "prom-client";

import { createMetrics as createInstallMetrics } from "../../cli/install-cni/metrics.ts";
import { createMetrics as createDevicePluginMetrics } from "../../deviceplugin/metrics.ts";
import { createHost } from "../../host/create-host.ts";
import { type CounterSide, counterSides } from "../../sriov/vf-counters.ts";
import { createMetrics as createTuningMetrics } from "../../tuning/metrics.ts";

/** What a metric is, as its registry knows it. */
interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

interface Program {
  readonly name: string;
  readonly port: number;
  readonly registry: Registry;
}

/** The programs that have metrics, each with a registry as it has at its start. */
export function listPrograms(): readonly Program[] {
  const host = createHost();
  return [
    { name: "deviceplugin", port: 9810, registry: createDevicePluginMetrics(host).registry },
    { name: "tuning", port: 9811, registry: createTuningMetrics(host).registry },
    { name: "install-cni", port: 9812, registry: createInstallMetrics().registry },
  ];
}

/** The metrics of a registry by name. */
export function listMetrics(registry: Registry): readonly Metric[] {
  // The declared type has no labels.
  const metrics = registry.getMetricsAsArray() as unknown as readonly Metric[];
  return metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The page as text. */
export function formatMetricsPage(): string {
  const programs = listPrograms().map(({ name, port, registry }) => {
    const rows = listMetrics(registry).map((metric) => [
      `\`${metric.name}\``,
      metric.type.toLowerCase(),
      metric.labelNames.map((label) => `\`${label}\``).join(", "),
      metric.help,
    ]);
    return `## ${name}, port ${port}\n\n${formatTable(["metric", "type", "labels", "what it tells"], rows)}`;
  });
  return `${[introduction, ...programs, traffic, formatSides(), absence].join("\n\n")}\n`;
}

const introduction = `# Metrics

<!-- Made by \`npm run generate\` from the programs themselves: change it there. -->

Each daemon serves its own at \`/metrics\`, in the text format of Prometheus, on the node's address. A counter starts at 0 with its
program; those of VFs and softnet are the kernel's own. No program asks the API server for any of it.`;

const traffic = `## What went through a VF

Bytes, packets and drops are told from two sides. They count the same traffic: take one of them.

- \`virtfn_vf_*\`, by \`deviceplugin\`: all that passed the VF, as the driver of its PF counts, also of programs that go around the kernel
  (DPDK, RDMA).
- \`virtfn_pod_vf_*\`, by \`tuning\`: what the VF's network driver in the pod saw. VFs that a program in userspace has are not there. A VF that
  its pod renames is missed until the next look at the node, 30 s later at most.

\`rx\` is what the pod received. \`pf\` is the interface of the PF, \`vf\` the number of the VF, \`resource\`, \`namespace\` and \`pod\` are empty where
there is none. Counters start again when a VF is made anew, and may do so when its driver or its pod is. Prometheus renames the labels
\`namespace\` and \`pod\` to \`exported_namespace\` and \`exported_pod\` where it adds its own, unless \`honorLabels\` is set.`;

const absence = `A driver that is not in the table is believed where it says more than 0. A VF whose PF says 0 of everything has no \`virtfn_vf_\` series: the
kernel says so too for a VF that is being reset, and of a driver that does not count. 222 VFs of a PF and more do not fit into one answer of the
kernel: then \`virtfn_vf_counters_absent\` has the reason \`too-many-vfs\`.`;

const sides: Readonly<Record<CounterSide, readonly [string, string]>> = {
  both: ["right", "right"],
  pod: ["absent: the driver reports 0 for every VF", "right"],
};

function formatSides(): string {
  const rows = Object.entries(counterSides).map(([driver, side]) => [`\`${driver}\``].concat(sides[side]));
  return formatTable(["driver of the PF", "`virtfn_vf_*`", "`virtfn_pod_vf_*`"], rows);
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
