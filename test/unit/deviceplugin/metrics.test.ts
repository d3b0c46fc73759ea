// What /metrics tells of a node: its devices by state, and what went through its VFs.

import { pino } from "pino";
import { expect, test } from "vitest";

import { createMetrics } from "../../../deviceplugin/metrics.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import { followUnrecordedPods, lookEveryMs } from "../../../deviceplugin/unrecorded-loop.ts";
import { writeAttachment } from "../../../sriov/attachment-store.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { pciFolder } from "../../../sriov/pci-device.ts";
import { defaultResources } from "../../../sriov/resource-config.ts";
import { makeAttachment } from "../../support/attached-vf.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { listMetricLines } from "../../support/metric-lines.ts";
import { servePodResources } from "../../support/serve-pod-resources.ts";

const traffic = { rxBytes: 900, txBytes: 80, rxPackets: 9, txPackets: 8, rxDropped: 1, txDropped: 0 };
const pfs = [
  { name: "ens1f0", address: "0000:3b:00.0", vfs: 4, driver: "ice", userspace: [3] },
  { name: "ens2f0", address: "0000:5e:00.0", vfs: 1, driver: "igb" },
] as const;

function createNode(): FakeHost {
  const node = createFakeHost(pfs);
  const [nic] = node.kernel.nics;
  if (nic !== undefined)
    nic.link.vfTraffic = new Map([
      [0, traffic],
      [2, { ...traffic, rxDropped: 0 }],
    ]);
  const owned = { address: "0000:3b:02.0", pod: "web-1", netns: "/run/netns/web-1" };
  writeAttachment(node.host, makeAttachment(node.host, owned));
  return node;
}

test("counts devices by resource, state and reason", async () => {
  using node = createNode();
  const metrics = createMetrics(node.host);
  const scan = scanDevices(node.host, defaultResources("sriov"), new Map());
  const [resource, { pool, devices }] = [...scan.resources][0] ?? [
    "",
    { pool: undefined, devices: new Map() },
  ];
  if (pool === undefined) throw new Error("no resource");
  const problem = { code: "link", reason: "the PF ens2f0 has no link" } as const;
  const judged = [...devices].map(([id, device]) =>
    device.pf === "0000:5e:00.0" ? ([id, { ...device, problem }] as const) : ([id, device] as const),
  );
  metrics.follow({ ...scan, resources: new Map([[resource, { pool, devices: new Map(judged) }]]) });
  expect(listMetricLines(await metrics.registry.metrics(), /virtfn_devices/)).toMatchInlineSnapshot(`
    "
    virtfn_devices{resource="sriov/vf",state="free",reason=""} 2
    virtfn_devices{resource="sriov/vf",state="used",reason=""} 1
    virtfn_devices{resource="sriov/vf",state="unhealthy",reason="link"} 1
    virtfn_devices{resource="",state="left-out",reason="driver"} 1
    "
  `);
});

test("tells what went through VFs, and for which PFs it does not", async () => {
  using node = createNode();
  const metrics = createMetrics(node.host);
  expect(listMetricLines(await metrics.registry.metrics(), /virtfn_vf_/)).toBe("\n\n");
  metrics.follow(scanDevices(node.host, defaultResources("sriov"), new Map()));
  const text = await metrics.registry.metrics();
  expect(listMetricLines(text, /virtfn_vf_/)).toMatchInlineSnapshot(`
    "
    virtfn_vf_counters_absent{pf="ens2f0",reason="driver"} 1
    virtfn_vf_rx_bytes_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 900
    virtfn_vf_rx_bytes_total{pf="ens1f0",vf="2",resource="sriov/vf",namespace="",pod=""} 900
    virtfn_vf_tx_bytes_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 80
    virtfn_vf_tx_bytes_total{pf="ens1f0",vf="2",resource="sriov/vf",namespace="",pod=""} 80
    virtfn_vf_rx_packets_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 9
    virtfn_vf_rx_packets_total{pf="ens1f0",vf="2",resource="sriov/vf",namespace="",pod=""} 9
    virtfn_vf_tx_packets_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 8
    virtfn_vf_tx_packets_total{pf="ens1f0",vf="2",resource="sriov/vf",namespace="",pod=""} 8
    virtfn_vf_rx_dropped_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 1
    virtfn_vf_rx_dropped_total{pf="ens1f0",vf="2",resource="sriov/vf",namespace="",pod=""} 0
    virtfn_vf_tx_dropped_total{pf="ens1f0",vf="0",resource="sriov/vf",namespace="shop",pod="web-1"} 0
    virtfn_vf_tx_dropped_total{pf="ens1f0",vf="2",resource="sriov/vf",namespace="",pod=""} 0
    "
  `);
  // Asked again the counts are the same, not added up.
  expect(await metrics.registry.metrics()).toBe(text);
});

test("a pod that has a VF for a minute without a record is counted, and told once; one with an accelerator is not", async () => {
  using node = createNode();
  const metrics = createMetrics(node.host);
  metrics.follow(scanDevices(node.host, defaultResources("sriov"), new Map()));
  const accelerator = parsePciAddress("0000:3b:02.2");
  node.host.files.writeText(`${pciFolder(node.host, accelerator)}/class`, "0x120001\n");
  const deviceIds = ["0000:3b:02.0", "0000:3b:02.1", accelerator];
  const devices = [{ resourceName: "sriov/vf", deviceIds, topology: undefined }];
  const containers = [{ name: "app", devices, cpuIds: [], memory: [], dynamicResources: [] }];
  const podResources = [{ name: "web-1", namespace: "shop", containers }];
  using _kubelet = await servePodResources(node.host.paths.kubelet.podResourcesSocket, {
    list: (_call, done) => done(null, { podResources }),
    get: (_call, done) => done(null, { podResources: undefined }),
    getAllocatableResources: (_call, done) => done(null, { devices: [], cpuIds: [], memory: [] }),
  });
  const stop = new AbortController();
  const seen: string[] = [];
  let nowMs = 0;
  const clock = {
    ...node.host.clock,
    nowMs: Date.now,
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      seen.push(listMetricLines(await metrics.registry.metrics(), /unrecorded/).trim());
      nowMs += ms;
      if (seen.length === 4) stop.abort();
    },
  };
  const lines: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  await followUnrecordedPods({ ...node.host, clock }, metrics, { signal: stop.signal, log });
  const counted = 'virtfn_unrecorded_devices{resource="sriov/vf",namespace="shop",pod="web-1"} 1';
  expect(lookEveryMs).toBe(30_000);
  expect(seen).toEqual(["", "", counted, counted]);
  expect(lines).toHaveLength(1);
});
