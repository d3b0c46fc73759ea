// What /metrics tells after passes over a fake node.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { writeAttachment } from "../../../sriov/attachment-store.ts";
import { createMetrics } from "../../../tuning/metrics.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { listMetricLines } from "../../support/metric-lines.ts";
import { createTuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

test("counts moves apart from pins, and the kernel's own counts by CPU when asked", async () => {
  using node = createTuningNode(1);
  const metrics = createMetrics(node.host);
  const record = node.attach(0, "web-1");
  metrics.record(await passOnce(node.host), 0.01, []);
  // The one CPU that is left to both vectors had one of them already.
  writeAttachment(node.host, { ...record, tuning: { policy: "follow-pod" } });
  const known = { exclusive: new Map([["shop/web-1", [1]]]) };
  metrics.record(await passOnce(node.host, undefined, known), 0.01, []);
  const [tx, rx, mailbox] = node.irqs(0);
  writeFolder(node.fake.root, {
    "proc/interrupts": [
      "      CPU0 CPU1",
      `${tx}: 3 4 PCI-MSI`,
      `${rx}: 0 6 PCI-MSI`,
      `${mailbox}: 1 0 PCI-MSI`,
      "999: 50 50 other",
    ].join("\n"),
    "proc/net/softnet_stat": "0 2 0 0 0 0 0 0 0 0 0 0 0\n0 0 10 0 0 0 0 0 0 0 0 0 1",
  });
  const text = await metrics.registry.metrics();
  expect(listMetricLines(text, /(pins|moves)_total|cpu_i|softnet/)).toMatchInlineSnapshot(`
    "
    virtfn_tuning_cpu_irqs{cpu="1"} 2
    virtfn_tuning_cpu_interrupts{cpu="0"} 4
    virtfn_tuning_cpu_interrupts{cpu="1"} 10
    virtfn_tuning_softnet_dropped_total{cpu="0"} 2
    virtfn_tuning_softnet_dropped_total{cpu="1"} 0
    virtfn_tuning_softnet_squeezed_total{cpu="0"} 0
    virtfn_tuning_softnet_squeezed_total{cpu="1"} 16
    virtfn_tuning_pins_total 3
    virtfn_tuning_moves_total 1
    "
  `);
  expect(text).toContain("virtfn_tuning_plan_duration_seconds_count 2");
  // Asked again the counts are the same, not added up.
  expect(await metrics.registry.metrics()).toBe(text);
});

test("counts masks by direction, values, threads and changes of channels, each where it was written", async () => {
  using node = createTuningNode(1, "ice");
  const metrics = createMetrics(node.host);
  const memory = createPassMemory(node.host);
  const configure = (more: string): void => {
    const knobs = "rfs: true, threadedNapi: true, channelPerCpu: true";
    const yaml = `tuning: { rps: numa, cpus: 0-2, policy: explicit, ${knobs}${more} }`;
    node.host.files.writeAtomic(node.host.paths.nodeConfig, yaml);
  };
  configure("");
  node.attach(0, "web-1");
  node.addQueues("web-1");
  const look = async (): Promise<string> => {
    metrics.record(await passOnce(node.host, memory), 0.02, []);
    return listMetricLines(
      await metrics.registry.metrics(),
      /masks|values|threads_|channel_|pass_.*(sum|count)/,
    );
  };
  expect(await look()).toMatchInlineSnapshot(`
    "
    virtfn_tuning_rps_masks_total 2
    virtfn_tuning_xps_masks_total 2
    virtfn_tuning_values_total 2
    virtfn_tuning_threads_total 0
    virtfn_tuning_channel_changes_total 1
    virtfn_tuning_pass_duration_seconds_sum 0.02
    virtfn_tuning_pass_duration_seconds_count 1
    "
  `);
  expect(await look()).toMatchInlineSnapshot(`
    "
    virtfn_tuning_rps_masks_total 2
    virtfn_tuning_xps_masks_total 2
    virtfn_tuning_values_total 2
    virtfn_tuning_threads_total 2
    virtfn_tuning_channel_changes_total 1
    virtfn_tuning_pass_duration_seconds_sum 0.04
    virtfn_tuning_pass_duration_seconds_count 2
    "
  `);
  // What is as it shall be is not written again.
  configure(", xps: off");
  expect(await look()).toMatchInlineSnapshot(`
    "
    virtfn_tuning_rps_masks_total 2
    virtfn_tuning_xps_masks_total 4
    virtfn_tuning_values_total 2
    virtfn_tuning_threads_total 2
    virtfn_tuning_channel_changes_total 1
    virtfn_tuning_pass_duration_seconds_sum 0.06
    virtfn_tuning_pass_duration_seconds_count 3
    "
  `);
});

function driftOf(vf: number, pod: string, count: number): string {
  return `virtfn_tuning_drift_total{pf="ens1f0",vf="${vf}",resource="",namespace="shop",pod="${pod}"} ${count}\n`;
}

test("counts drift by VF, as long as its pod has it", async () => {
  using node = createTuningNode(2);
  const metrics = createMetrics(node.host);
  const memory = createPassMemory(node.host);
  const look = async (): Promise<string> => {
    metrics.record(await passOnce(node.host, memory), 0.01, []);
    return listMetricLines(await metrics.registry.metrics(), /drift/);
  };
  node.attach(0, "web-1");
  node.attach(1, "web-2");
  expect(await look()).toBe(`\n${driftOf(0, "web-1", 0)}${driftOf(1, "web-2", 0)}`);
  node.setAffinity(1, 0, "3");
  node.setAffinity(1, 1, "2");
  expect(await look()).toBe(`\n${driftOf(0, "web-1", 0)}${driftOf(1, "web-2", 2)}`);
  expect(await look()).toBe(`\n${driftOf(0, "web-1", 0)}${driftOf(1, "web-2", 2)}`);
  node.detach(1, "web-2");
  node.attach(1, "web-3");
  expect(await look()).toBe(`\n${driftOf(0, "web-1", 0)}${driftOf(1, "web-3", 0)}`);
});

test("counts as pinned what is in its place, not what a busy lock or a refusal kept from it", async () => {
  using node = createTuningNode(1);
  const metrics = createMetrics(node.host);
  node.attach(0, "web-1");
  const countAfterPass = async (host = node.host): Promise<string> => {
    metrics.record(await passOnce(host), 0.01, []);
    return listMetricLines(await metrics.registry.metrics(), /pinned_irqs|cpu_irqs/);
  };
  const lock = await node.host.locks.acquire(node.address(0));
  expect(await countAfterPass()).toBe("\nvirtfn_tuning_pinned_irqs 0\n");
  lock[Symbol.dispose]();
  const [tx] = node.irqs(0);
  const files: Host["files"] = {
    ...node.host.files,
    writeText(path, text) {
      if (path.endsWith(`/${tx}/smp_affinity_list`)) throw new SystemCallError("write", path, "EPERM");
      node.host.files.writeText(path, text);
    },
  };
  expect(await countAfterPass({ ...node.host, files })).toBe(
    '\nvirtfn_tuning_pinned_irqs 1\nvirtfn_tuning_cpu_irqs{cpu="1"} 1\n',
  );
});

test("tells what went through VFs in their pods, and how many could not be read", async () => {
  using node = createTuningNode(3);
  const metrics = createMetrics(node.host);
  node.attach(0, "web-1");
  const gone = node.attach(1, "web-2");
  const traffic = { rxBytes: 900, txBytes: 80, rxPackets: 9, txPackets: 8, rxDropped: 1, txDropped: 0 };
  for (const link of node.fake.kernel.mounted.get("/run/netns/web-1")?.links.values() ?? [])
    if (link.device !== undefined) link.traffic = traffic;
  node.attach(2, "web-3");
  for (const link of node.fake.kernel.mounted.get("/run/netns/web-3")?.links.values() ?? [])
    if (link.device !== undefined) {
      using netns = node.host.namespaces.open("/run/netns/web-3");
      using inside = node.host.openNetlink(netns);
      inside.setLink(link.index, { set: "name", value: "data0" });
    }
  const known = { resourceOf: new Map([[node.address(0), "sriov/vf"]]) };
  metrics.record(await passOnce(node.host, undefined, known), 0.01, []);
  node.fake.removeNetns("web-2");
  expect(gone.device.vf).toBe(1);
  const text = await metrics.registry.metrics();
  expect(listMetricLines(text, /virtfn_pod_vf/)).toMatchInlineSnapshot(`
    "
    virtfn_pod_vfs_uncounted 1
    virtfn_pod_vf_rx_bytes_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 900
    virtfn_pod_vf_rx_bytes_total{pf="ens1f0",vf="2",resource="",namespace="shop",pod="web-3"} 0
    virtfn_pod_vf_tx_bytes_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 80
    virtfn_pod_vf_tx_bytes_total{pf="ens1f0",vf="2",resource="",namespace="shop",pod="web-3"} 0
    virtfn_pod_vf_rx_packets_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 9
    virtfn_pod_vf_rx_packets_total{pf="ens1f0",vf="2",resource="",namespace="shop",pod="web-3"} 0
    virtfn_pod_vf_tx_packets_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 8
    virtfn_pod_vf_tx_packets_total{pf="ens1f0",vf="2",resource="",namespace="shop",pod="web-3"} 0
    virtfn_pod_vf_rx_dropped_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 1
    virtfn_pod_vf_rx_dropped_total{pf="ens1f0",vf="2",resource="",namespace="shop",pod="web-3"} 0
    virtfn_pod_vf_tx_dropped_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 0
    virtfn_pod_vf_tx_dropped_total{pf="ens1f0",vf="2",resource="",namespace="shop",pod="web-3"} 0
    "
  `);
  expect(await metrics.registry.metrics()).toBe(text);
});
