// What ADD does once the VF is in the pod: sysctls, waiting for a carrier, announcing.

import { expect, test } from "vitest";

import { readAttachment } from "../../../sriov/attachment-store.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const address = parsePciAddress("0000:3b:02.1");
const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: address };
const dualStack = { ...config, ips: ["192.0.2.50/24", "2001:db8::50/64"] };

function makeNode(carrierAfterMs: number | undefined): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  for (const link of node.kernel.host.links.values()) link.carrierAfterMs = carrierAfterMs;
  return node;
}

function announceOf(node: FakeHost): string | undefined {
  return readAttachment(node.host, address)?.announce;
}

test("each address is announced once, and the record says so", async () => {
  using node = makeNode(30);
  expect(await callCni(node.host, dualStack)).toMatchObject({ exitCode: 0 });
  const sent = node.kernel.frames.map(({ netns, link, bytes }) => ({ netns, link, length: bytes.length }));
  const from = { netns: "/run/netns/web-1", link: "net1" };
  expect(sent).toEqual([
    { ...from, length: 42 },
    { ...from, length: 86 },
  ]);
  expect(announceOf(node)).toBe("done");
});

test("the kernel is told to announce changes, and to use IPv6 addresses while it looks for duplicates", async () => {
  using node = makeNode(0);
  await callCni(node.host, dualStack);
  expect(sysctlsInPod(node)).toEqual([
    "ipv6/disable_ipv6 0",
    "ipv4/arp_notify 1",
    "ipv6/ndisc_notify 1",
    "ipv6/optimistic_dad 1",
    "ipv6/use_optimistic 1",
  ]);
});

test('"announce": false leaves announcing to the kernel and is never pending', async () => {
  using node = makeNode(undefined);
  const startMs = node.clock.nowMs();
  expect(await callCni(node.host, { ...dualStack, announce: false })).toMatchObject({ exitCode: 0 });
  expect(node.kernel.frames).toEqual([]);
  expect(sysctlsInPod(node)).toEqual(["ipv6/disable_ipv6 0"]);
  expect(announceOf(node)).toBe("done");
  expect(node.clock.nowMs()).toBe(startMs);
});

test("without a carrier within 200 ms the pod starts, and its announcement is pending", async () => {
  using node = makeNode(201);
  const startMs = node.clock.nowMs();
  expect(await callCni(node.host, dualStack)).toMatchObject({ exitCode: 0 });
  expect(node.clock.nowMs() - startMs).toBe(200);
  expect(node.kernel.frames).toEqual([]);
  expect(announceOf(node)).toBe("pending");
});

test("a VF without addresses is waited for by nobody", async () => {
  using node = makeNode(undefined);
  const startMs = node.clock.nowMs();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  expect(node.clock.nowMs()).toBe(startMs);
  expect(announceOf(node)).toBe("done");
});

test("several VFs of a pod are waited for together", async () => {
  using node = makeNode(undefined);
  node.allocate("uid-web-1", { app: ["0000:3b:02.0", "0000:3b:02.1"] });
  const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }] };
  const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
  const chained = { cniVersion: "1.0.0", name: "cluster", type: "virtfn", prevResult, ipam };
  const startMs = node.clock.nowMs();
  expect(await callCni(node.host, chained, { ifName: "eth0" })).toMatchObject({ exitCode: 0 });
  expect(node.clock.nowMs() - startMs).toBe(200);
});

test("requireCarrierMs waits longer, also for a VF without addresses", async () => {
  using node = makeNode(2_900);
  const startMs = node.clock.nowMs();
  expect(await callCni(node.host, { ...config, requireCarrierMs: 3_000 })).toMatchObject({ exitCode: 0 });
  expect(node.clock.nowMs() - startMs).toBe(2_900);
});

test("requireCarrierMs makes a missing carrier an error that leaves everything as it was", async () => {
  using node = makeNode(undefined);
  const before = node.toText();
  const answer = await callCni(node.host, { ...dualStack, requireCarrierMs: 500 });
  expect(answer.json).toMatchObject({
    code: 107,
    msg: expect.stringMatching(
      /^ERR_VF_CARRIER: step "carrier": 0000:3b:02\.1 as net1: expected a carrier within 500 ms/,
    ) as string,
  });
  expect(node.toText()).toBe(before);
});

test("of several VFs without a carrier none is waited for any more once ADD has failed", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  for (const link of node.kernel.host.links.values()) link.carrierAfterMs = undefined;
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] }, "sriov/fast");
  const networks = [
    { requireCarrierMs: 100 },
    { resource: "sriov/fast", ifNamePrefix: "fast", requireCarrierMs: 5_000 },
  ];
  const { deviceID: _none, ...chained } = config;
  const prevResult = { cniVersion: "1.0.0", interfaces: [], ips: [] };
  const answer = await callCni(node.host, { ...chained, networks, prevResult }, { ifName: "eth0" });
  expect(answer.json).toMatchObject({ code: 107 });
  expect([...node.kernel.mounted.values()].map(({ listeners }) => listeners.size)).toEqual([0]);
});

function sysctlsInPod(node: FakeHost): readonly string[] {
  const links = [...(node.kernel.mounted.get("/run/netns/web-1")?.links.values() ?? [])];
  return links.flatMap(({ sysctls }) => [...sysctls].map(([path, value]) => `${path} ${value}`));
}
