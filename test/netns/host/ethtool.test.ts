// Channels, rings, features and coalescing on the real kernel: sysfs shows the queues that a device really has.

import { expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { NetlinkError } from "../../../host/errors.ts";
import type { Ethtool } from "../../../host/netlink/ethtool.ts";
import { createTestNetns, type TestNetns } from "../../support/netns.ts";

const host = createHost();

function openEthtool(netns: TestNetns): Ethtool {
  using handle = host.namespaces.open(netns.path);
  if (handle === undefined) throw new Error(`no namespace at ${netns.path}`);
  return host.openEthtool(handle);
}

function indexOf(netns: TestNetns, name: string): number {
  return Number(netns.look(`link show ${name}`)[0]?.["ifindex"]);
}

function readQueues(netns: TestNetns, name: string): string {
  return netns
    .run(["ls", `/sys/class/net/${name}/queues`])
    .trim()
    .replaceAll("\n", " ");
}

test("channels of a veth are read and set, as sysfs shows", () => {
  using netns = createTestNetns();
  netns.ip("link add va numrxqueues 4 numtxqueues 4 type veth peer name vb numrxqueues 4 numtxqueues 4");
  using ethtool = openEthtool(netns);
  const index = indexOf(netns, "va");
  const before = ethtool.getChannels(index);
  expect(before).toMatchObject({ rx: { max: 4 }, tx: { max: 4 } });
  ethtool.setChannels(index, { rx: 3, tx: 2 });
  expect(ethtool.getChannels(index)).toMatchObject({ rx: { value: 3 }, tx: { value: 2 } });
  expect(readQueues(netns, "va")).toBe("rx-0 rx-1 rx-2 tx-0 tx-1");
});

test("what a driver does not have is undefined, and setting it an error that says so", () => {
  using netns = createTestNetns();
  netns.ip("link add va type veth peer name vb");
  using ethtool = openEthtool(netns);
  const lo = indexOf(netns, "lo");
  expect(ethtool.getRings(lo)).toBeUndefined();
  expect(ethtool.getChannels(lo)).toBeUndefined();
  expect(() => ethtool.setRings(lo, { rx: 512 })).toThrow(`set rings of link ${lo} to rx 512: EOPNOTSUPP`);
  const more = indexOf(netns, "va");
  expect(() => ethtool.setChannels(more, { rx: 99 })).toThrow(NetlinkError);
});

test("features are set and put back, and those that nobody asked for stay", () => {
  using netns = createTestNetns();
  netns.ip("link add va type veth peer name vb");
  using ethtool = openEthtool(netns);
  const index = indexOf(netns, "va");
  const before = ethtool.getFeatures(index);
  const [lowest = 0, ...others] = before?.wanted ?? [];
  // NETIF_F_TSO.
  const tso = 1 << 16;
  expect(lowest & tso).toBe(tso);
  ethtool.setFeatures(index, [(lowest & ~tso) >>> 0, ...others]);
  expect(ethtool.getFeatures(index)).toEqual({ ...before, wanted: [(lowest & ~tso) >>> 0, ...others] });
  ethtool.setFeatures(index, before?.wanted ?? []);
  expect(ethtool.getFeatures(index)).toEqual(before);
  // Not even what can't be changed, as where a newer driver has more.
  ethtool.setFeatures(index, []);
  ethtool.setFeatures(index, before?.wanted ?? []);
  expect(ethtool.getFeatures(index)).toEqual(before);
});

const tapProblem = whyNoTap();

test.skipIf(tapProblem !== undefined)(
  `coalescing of a tap is set and read${tapProblem === undefined ? "" : ` (skipped: ${tapProblem})`}`,
  () => {
    using netns = createTestNetns();
    netns.ip("tuntap add dev tap0 mode tap");
    using ethtool = openEthtool(netns);
    const index = indexOf(netns, "tap0");
    expect(ethtool.getCoalescing(indexOf(netns, "lo"))).toBeUndefined();
    expect(ethtool.getCoalescing(index)).toEqual({ 3: 0 });
    ethtool.setCoalescing(index, { 3: 8 });
    expect(ethtool.getCoalescing(index)).toEqual({ 3: 8 });
    expect(() => ethtool.setCoalescing(index, { 11: 1 })).toThrow(NetlinkError);
  },
);

function whyNoTap(): string | undefined {
  using netns = createTestNetns();
  try {
    netns.ip("tuntap add dev tap0 mode tap");
    return undefined;
  } catch (error) {
    return String(error).trim();
  }
}
