// Links on the real kernel, with `ip -j` as the oracle.

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { createLibc } from "../../../host/libc.ts";
import { enterNetns } from "../../../host/netns-enter.ts";
import type { Link, Netlink, XdpMode } from "../../../host/netlink/netlink.ts";
import { NetlinkSocket, openRouteSocket } from "../../../host/netlink/socket.ts";
import type { NetnsHandle } from "../../../host/netns.ts";
import { attachXdpRequest, loadXdpProgram, type XdpProgram } from "../../support/xdp.ts";
import { createTestNetns, whyNoLinkKind, type TestNetns } from "../../support/netns.ts";

const host = createHost();
const vlanProblem = whyNoLinkKind("vlan");
let netns: TestNetns;
let handle: NetnsHandle;
let netlink: Netlink;

beforeEach(() => {
  netns = createTestNetns();
  netns.ip("link add va type veth peer name vb");
  handle = openNetns(netns);
  netlink = host.openNetlink(handle);
});
// The namespace first: it must go even when the rest was never made.
afterEach(() => {
  netns[Symbol.dispose]();
  netlink[Symbol.dispose]();
  handle[Symbol.dispose]();
});

function openNetns(test: TestNetns): NetnsHandle {
  const opened = host.namespaces.open(test.path);
  if (opened === undefined) throw new Error(`no namespace at ${test.path}`);
  return opened;
}

function attachXdp(index: number, program: XdpProgram, mode: XdpMode): void {
  const libc = createLibc();
  using socket = new NetlinkSocket(
    libc,
    enterNetns(libc, handle, () => openRouteSocket(libc)),
  );
  socket.change("attach", attachXdpRequest(index, program, mode));
}

function getLink(name: string, from = netlink): Link {
  const link = from.getLink({ name });
  if (link === undefined) throw new Error(`no link ${name}`);
  return link;
}

describe("reading", () => {
  it("agrees with ip about what went through a link", () => {
    for (const name of ["va", "vb"]) netns.ip(`link set ${name} up`);
    const frames = [1, 2, 3].map(() => new Uint8Array(1000).fill(0xff, 0, 6));
    host.namespaces.sendFrames(handle, getLink("va").index, frames);
    // The kernel's own packets (IPv6) would come between the two readings.
    for (const name of ["vb", "va"]) netns.ip(`link set ${name} down`);
    const [link] = netns.look("-s link show dev vb");
    if (link === undefined) throw new Error("ip does not know vb");
    const { rx, tx } = link["stats64"] as Record<"rx" | "tx", Record<string, number>>;
    expect(rx["packets"]).toBeGreaterThanOrEqual(3);
    const counters = host.namespaces.readCounters(handle);
    expect([...counters.keys()].toSorted()).toEqual(["lo", "va", "vb"]);
    expect(counters.get("vb")).toEqual({
      rxBytes: rx["bytes"],
      txBytes: tx["bytes"],
      rxPackets: rx["packets"],
      txPackets: tx["packets"],
      rxDropped: (rx["dropped"] ?? 0) + (rx["missed"] ?? 0),
      txDropped: tx["dropped"],
    });
    expect(netlink.listVfCounters({ name: "va" })).toEqual(new Map());
  });

  it("agrees with ip about every link", () => {
    netns.ip("link set va up");
    netns.ip("link add br0 type bridge");
    netns.ip("link set vb master br0 alias backing");
    const expected = netns.look("link show").map((link) => ({
      index: link["ifindex"],
      name: link["ifname"],
      mac: link["address"],
      mtu: link["mtu"],
      maxMtu: link["max_mtu"] || undefined,
      isUp: (link["flags"] as string[]).includes("UP"),
      kind: (link["linkinfo"] as { info_kind?: string } | undefined)?.info_kind,
      alias: link["ifalias"],
      altNames: link["altnames"] ?? [],
    }));
    const links = netlink.listLinks();
    expect(links).toMatchObject(expected);
    expect(links).toHaveLength(4);
    expect(getLink("vb")).toMatchObject({ master: getLink("br0").index, lower: getLink("va").index });
  });

  it("gives no lower device that is one of another namespace: its number means nothing here", () => {
    using other = createTestNetns();
    netns.ip(`link set vb netns ${other.name}`);
    expect(netns.look("link show va")[0]).toHaveProperty("link_index");
    expect(getLink("va").lower).toBeUndefined();
  });

  it("finds a link by index, name and altname, and tells when there is none", () => {
    netns.ip("link property add dev va altname short altname a-very-long-alternative-name");
    const va = getLink("va");
    expect(va.altNames).toEqual(["short", "a-very-long-alternative-name"]);
    for (const ref of [{ index: va.index }, { name: "short" }, { name: "a-very-long-alternative-name" }]) {
      expect(netlink.getLink(ref)).toEqual(va);
    }
    for (const ref of [{ index: 9999 }, { name: "none" }, { name: "no-such-alternative-name" }]) {
      expect(netlink.getLink(ref)).toBeUndefined();
    }
  });

  it("sees the carrier come and go", () => {
    netlink.setLink(getLink("va").index, { set: "up", value: true });
    expect(getLink("va").hasCarrier).toBe(false);
    netlink.setLink(getLink("vb").index, { set: "up", value: true });
    expect(getLink("va").hasCarrier).toBe(true);
  });

  it("lists 200 links whole while others come and go", () => {
    const batch = Array.from({ length: 100 }, (_, i) => `link add x${i} type veth peer name y${i}`);
    Bun.spawnSync(["ip", "-n", netns.name, "-b", "-"], { stdin: Buffer.from(batch.join("\n")) });
    const names = new Set(netns.look("link show").map((link) => link["ifname"]));
    const churn = Array.from(
      { length: 60 },
      () => "link add churn type veth peer name churnb\nlink del churn",
    );
    const churning = Bun.spawn(["ip", "-n", netns.name, "-b", "-"], { stdin: Buffer.from(churn.join("\n")) });
    let rounds = 0;
    do {
      const listed = netlink.listLinks().map(({ name }) => name);
      expect(new Set(listed.filter((name) => !name.startsWith("churn")))).toEqual(names);
      expect(new Set(listed).size).toBe(listed.length);
    } while (++rounds < 30);
    churning.kill();
  });

  it.skipIf(vlanProblem !== undefined)(`knows the link below a vlan${because(vlanProblem)}`, () => {
    netns.ip("link add link va name va.5 type vlan id 5");
    expect(getLink("va.5")).toMatchObject({ kind: "vlan", lower: getLink("va").index });
  });
});

describe("changing", () => {
  it("sets each attribute as ip then shows it", () => {
    const { index } = getLink("va");
    netlink.setLink(index, { set: "mtu", value: 1400 });
    netlink.setLink(index, { set: "mac", value: "02:00:00:00:00:77" });
    netlink.setLink(index, { set: "promiscuous", value: true });
    netlink.setLink(index, { set: "allMulticast", value: true });
    netlink.setLink(index, { set: "name", value: "net1" });
    netlink.setLink(index, { set: "up", value: true });
    const [shown] = netns.look("link show net1");
    expect(shown).toMatchObject({ ifindex: index, mtu: 1400, address: "02:00:00:00:00:77" });
    expect(shown?.["flags"]).toEqual(expect.arrayContaining(["UP", "PROMISC", "ALLMULTI"]));
    for (const set of ["up", "promiscuous", "allMulticast"] as const)
      netlink.setLink(index, { set, value: false });
    expect(getLink("net1")).toMatchObject({ isUp: false, isPromiscuous: false, isAllMulticast: false });
  });

  it("sets alias and queue length", () => {
    const { index } = getLink("va");
    netlink.setLink(index, { set: "alias", value: "of a pod" });
    netlink.setLink(index, { set: "txQueueLength", value: 7 });
    expect(netns.look("link show va")[0]).toMatchObject({ ifalias: "of a pod", txqlen: 7 });
    expect(getLink("va")).toMatchObject({ alias: "of a pod", txQueueLength: 7 });
    netlink.setLink(index, { set: "alias", value: "" });
    expect(getLink("va").alias).toBeUndefined();
  });

  it.each(["skb", "drv"] as const)("takes an XDP program of mode %s off, which a move would keep", (mode) => {
    const { index } = getLink("va");
    expect(getLink("va").xdp).toEqual([]);
    using program = loadXdpProgram();
    attachXdp(index, program, mode);
    expect(netns.look("link show va")[0]).toHaveProperty("xdp");
    expect(getLink("va").xdp).toMatchObject([{ mode }]);
    netlink.setLink(index, { set: "withoutXdp", value: mode });
    expect(getLink("va").xdp).toEqual([]);
    expect(netns.look("link show va")[0]).not.toHaveProperty("xdp");
  });

  it("adds and removes altnames", () => {
    const { index } = getLink("va");
    netlink.addAltName(index, "enp1s0v0");
    netlink.addAltName(index, "a-very-long-alternative-name");
    expect(netns.look("link show va")[0]?.["altnames"]).toEqual(["enp1s0v0", "a-very-long-alternative-name"]);
    expect(() => netlink.addAltName(getLink("vb").index, "enp1s0v0")).toThrow(
      /^add altname enp1s0v0 to link \d+: EEXIST/,
    );
    netlink.removeAltName(index, "enp1s0v0");
    expect(getLink("va").altNames).toEqual(["a-very-long-alternative-name"]);
  });

  it("deletes a virtual link", () => {
    netlink.deleteLink(getLink("va").index);
    expect(netlink.listLinks().map(({ name }) => name)).toEqual(["lo"]);
  });

  it("says what was refused, on what, with errno and the kernel's words", () => {
    const { index } = getLink("va");
    expect(() => netlink.setLink(index, { set: "mtu", value: 1 })).toThrow(
      `set link ${index} mtu 1: EINVAL (mtu less than device minimum)`,
    );
    expect(() => netlink.setLink(index, { set: "name", value: "vb" })).toThrow(
      `set link ${index} name vb: EEXIST`,
    );
    expect(() => netlink.setLink(9999, { set: "up", value: true })).toThrow("set link 9999 up true: ENODEV");
    expect(() => netlink.setVf(index, 3, { set: "trust", value: true })).toThrow(
      `set vf 3 of link ${index}: trust on: EOPNOTSUPP`,
    );
  });
});

describe("moving", () => {
  let other: TestNetns;
  let otherHandle: NetnsHandle;
  let otherNetlink: Netlink;

  beforeEach(() => {
    other = createTestNetns();
    otherHandle = openNetns(other);
    otherNetlink = host.openNetlink(otherHandle);
  });
  afterEach(() => {
    other[Symbol.dispose]();
    otherNetlink[Symbol.dispose]();
    otherHandle[Symbol.dispose]();
  });

  it("takes a link with its altnames, MAC and MTU, and leaves it down", () => {
    const { index } = getLink("va");
    netlink.addAltName(index, "enp1s0v0");
    netlink.setLink(index, { set: "mtu", value: 1400 });
    netlink.setLink(index, { set: "up", value: true });
    const before = getLink("va");
    netlink.moveLink(index, otherHandle);
    expect(netlink.getLink({ name: "va" })).toBeUndefined();
    const { mac, mtu, altNames } = before;
    expect(getLink("enp1s0v0", otherNetlink)).toMatchObject({ name: "va", mac, mtu, altNames, isUp: false });
    expect(other.look("link show va")[0]).toMatchObject({ address: mac, mtu: 1400, altnames: ["enp1s0v0"] });
  });

  it("refuses with EEXIST when the name is taken there, and the link stays", () => {
    other.ip("link add va type veth peer name peer");
    const { index } = getLink("va");
    expect(() => netlink.moveLink(index, otherHandle)).toThrow(`move link ${index} to ${other.path}: EEXIST`);
    expect(getLink("va").index).toBe(index);
  });

  it("refuses with EEXIST when an altname is taken there, and the link stays", () => {
    other.ip("link add oa type veth peer name ob");
    other.ip("link property add dev oa altname enp1s0v0");
    const { index } = getLink("va");
    netlink.addAltName(index, "enp1s0v0");
    expect(() => netlink.moveLink(index, otherHandle)).toThrow(/EEXIST/);
    expect(getLink("va").index).toBe(index);
  });

  it("gives the link its new name by the same request", () => {
    const { index, mac } = getLink("va");
    netlink.moveLink(index, otherHandle, "net1");
    expect(getLink("net1", otherNetlink)).toMatchObject({ mac, isUp: false });
    expect(otherNetlink.getLink({ name: "va" })).toBeUndefined();
  });

  it("takes the new name at once when the present one is taken there", () => {
    other.ip("link add va type veth peer name peer");
    netlink.moveLink(getLink("va").index, otherHandle, "net1");
    expect(getLink("net1", otherNetlink).isUp).toBe(false);
  });

  it("refuses a new name that is taken there with EEXIST, after the move", () => {
    other.ip("link add net1 type veth peer name peer");
    const { index, mac } = getLink("va");
    expect(() => netlink.moveLink(index, otherHandle, "net1")).toThrow("as net1: EEXIST");
    expect(getLink("va", otherNetlink).mac).toBe(mac);
  });

  it("gives the link another index when its own is taken there", () => {
    const { index } = getLink("va");
    other.ip(`link add taken index ${index} type veth peer name peer`);
    netlink.moveLink(index, otherHandle);
    expect(getLink("va", otherNetlink).index).not.toBe(index);
  });
});

/** A skipped test says why in its name. */
function because(problem: string | undefined): string {
  return problem === undefined ? "" : ` (skipped: ${problem})`;
}
