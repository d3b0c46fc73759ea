// The fake node behaves as the real kernel does where programs rely on it, and prints itself.

import { expect, test } from "vitest";

import type { Netlink } from "../../../host/netlink/netlink.ts";
import { createFakeHost } from "../../support/fake-host.ts";
import { Kill, withFault } from "../../support/faults.ts";

test("a node prints itself whole", () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  expect(node.toText()).toMatchInlineSnapshot(`
    "host
      ens1f0 0000:3b:00.0 mac 02:00:00:00:00:ff mtu 1500 up
      ens1f0 vf 0 mac 02:00:00:00:00:00 vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0v0 0000:3b:02.0 mac 02:00:00:00:00:00 mtu 1500 down altnames enp0s0v0 rx-0 rps 00 flows 0 tx-0 xps 00
      ens1f0v1 0000:3b:02.1 mac 02:00:00:00:00:01 mtu 1500 down altnames enp0s0v1 rx-0 rps 00 flows 0 tx-0 xps 00
      eth0 virtual mac 02:00:00:00:ff:01 mtu 1500 up
      route 0.0.0.0/0 via 198.51.100.1 dev eth0"
  `);
});

test("a moved VF loses up and addresses, keeps MAC, MTU, altnames and masks, and comes back when its namespace ends", () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 1 }]);
  const path = node.addNetns("web-1");
  using netns = node.host.namespaces.open(path);
  if (netns === undefined) throw new Error("no namespace");
  using outside = node.host.openNetlink();
  const vf = outside.getLink({ name: "enp0s0v0" });
  if (vf === undefined) throw new Error("no VF");
  node.host.files.writeText(`${node.root}/sys/class/net/ens1f0v0/queues/rx-0/rps_cpus`, "0f\n");
  outside.setLink(vf.index, { set: "mtu", value: 9000 });
  outside.setLink(vf.index, { set: "up", value: true });
  outside.addAddress(vf.index, { family: 4, address: "192.0.2.9", prefixLength: 24 });
  outside.moveLink(vf.index, netns);
  using inside = node.host.openNetlink(netns);
  inside.setLink(vf.index, { set: "name", value: "net1" });
  expect(node.toText()).toMatchInlineSnapshot(`
    "host
      ens1f0 0000:3b:00.0 mac 02:00:00:00:00:ff mtu 1500 up
      ens1f0 vf 0 mac 02:00:00:00:00:00 vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0
      eth0 virtual mac 02:00:00:00:ff:01 mtu 1500 up
      route 0.0.0.0/0 via 198.51.100.1 dev eth0
    /run/netns/web-1
      net1 0000:3b:02.0 mac 02:00:00:00:00:00 mtu 9000 down altnames enp0s0v0 rx-0 rps 0f flows 0 tx-0 xps 00"
  `);
  using sysfs = node.host.namespaces.openSysfs(netns);
  expect(sysfs.readText("class/net/net1/queues/rx-0/rps_cpus")).toBe("0f\n");
  expect(node.host.files.list(`${node.root}/sys/bus/pci/devices/0000:3b:02.0/net`)).toEqual([]);
  node.removeNetns("web-1");
  expect(outside.getLink({ name: "net1" })).toMatchObject({ mtu: 9000, isUp: false });
});

test("a name that is taken in the target refuses the move", () => {
  using node = createFakeHost();
  using netns = node.host.namespaces.open(node.addNetns("a"));
  if (netns === undefined) throw new Error("no namespace");
  using outside = node.host.openNetlink();
  const [first, second] = [outside.getLink({ name: "ens1f0v0" }), outside.getLink({ name: "ens1f0v1" })];
  if (first === undefined || second === undefined) throw new Error("no VF");
  outside.moveLink(first.index, netns);
  outside.setLink(second.index, { set: "name", value: "ens1f0v0" });
  expect(() => outside.moveLink(second.index, netns)).toThrow("EEXIST");
});

function indexOf(netlink: Netlink, name: string): number {
  return netlink.getLink({ name })?.index ?? 0;
}

test("a move with a name gives it after the move, or at once where the present one is taken", () => {
  using node = createFakeHost();
  using netns = node.host.namespaces.open(node.addNetns("a"));
  if (netns === undefined) throw new Error("no namespace");
  using outside = node.host.openNetlink();
  using inside = node.host.openNetlink(netns);
  const listNames = (): readonly string[] => inside.listLinks().map(({ name }) => name);
  outside.moveLink(indexOf(outside, "ens1f0v0"), netns, "ens1f0v1");
  outside.moveLink(indexOf(outside, "ens1f0v1"), netns, "net1");
  expect(listNames()).toEqual(["ens1f0v1", "net1"]);
  expect(() => outside.moveLink(indexOf(outside, "ens1f0v2"), netns, "net1")).toThrow("EEXIST");
  expect(listNames()).toEqual(["ens1f0v1", "net1", "ens1f0v2"]);
});

test("an untrusted VF may not change the MAC that its PF gave it", () => {
  using node = createFakeHost();
  using netlink = node.host.openNetlink();
  const pf = netlink.getLink({ name: "ens1f0" })?.index ?? 0;
  const vf = netlink.getLink({ name: "ens1f0v0" })?.index ?? 0;
  netlink.setVf(pf, 0, { set: "mac", mac: "02:aa:00:00:00:01" });
  expect(() => netlink.setLink(vf, { set: "mac", value: "02:bb:00:00:00:01" })).toThrow("EADDRNOTAVAIL");
  netlink.setVf(pf, 0, { set: "trust", value: true });
  netlink.setLink(vf, { set: "mac", value: "02:bb:00:00:00:01" });
  expect(netlink.listVfs(pf)[0]).toMatchObject({ mac: "02:bb:00:00:00:01", trust: true });
});

test("sleeping lets fake time pass at once, and events come in order", async () => {
  using node = createFakeHost();
  const seen: string[] = [];
  node.clock.after(300, () => seen.push("event"));
  await Promise.all([
    node.host.clock.sleep(200).then(() => seen.push("200")),
    node.host.clock.sleep(400).then(() => seen.push("400")),
  ]);
  expect(seen).toEqual(["200", "event", "400"]);
});

test("a lock that is held is waited for, then named", async () => {
  using node = createFakeHost();
  using held = await node.host.locks.acquire("pick");
  await expect(node.host.locks.acquire("pick")).rejects.toThrow(`${held.path}: process 4711 still holds it`);
});

test("a fault hits the call with its number, in the host and in the handles it returns", () => {
  using node = createFakeHost();
  const { host, calls } = withFault(node.host, { at: 2, how: "fail" });
  using netlink = host.openNetlink();
  expect(netlink.listLinks().length).toBeGreaterThan(0);
  expect(() => netlink.listLinks()).toThrow("openNetlink().listLinks(injected fault) failed: EIO");
  expect(calls).toEqual(["openNetlink", "openNetlink().listLinks", "openNetlink().listLinks"]);
});

test("after a kill no call has an effect any more", async () => {
  using node = createFakeHost();
  const { host } = withFault(node.host, { at: 1, how: "killAfter" });
  const path = `${node.root}/state`;
  host.files.writeAtomic(path, "one");
  expect(() => host.files.writeAtomic(path, "two")).toThrow(Kill);
  expect(() => host.files.remove(path)).toThrow(Kill);
  await expect(host.locks.acquire("x")).rejects.toThrow(Kill);
  expect(node.host.files.readText(path)).toBe("two");
  expect(node.locks.held.size).toBe(0);
});
