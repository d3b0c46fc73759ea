// DEL in every state in which a runtime may call it.

import { expect, test } from "vitest";

import {
  createAttachedNode,
  createPodNode,
  createUnrecordedNode,
  openNetnsOf,
} from "../../support/attached-node.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { spoilVf } from "../../support/spoil-vf.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  mtu: 9000,
  trust: "on",
  ipam,
};
const done = { exitCode: 0, json: undefined };
const recordPath = (node: FakeHost): string => `${node.host.paths.attachments}/0000:3b:02.1.json`;

function withoutPod(text: string): string {
  return text.replace("\n/run/netns/web-1", "");
}

test("DEL puts everything back, and the second one changes nothing", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  for (const _again of [1, 2]) {
    expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
    expect(node.toText()).toBe(before);
  }
});

test("DEL undoes what the pod itself did to the VF", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  spoilVf(node);
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({
    ...done,
    stderr: expect.not.stringContaining("level=warning") as string,
  });
  expect(node.toText()).toBe(before);
});

test("a record of a release that did not keep it has DEL switch ARP and multicast on again", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  const record = JSON.parse(node.host.files.readText(recordPath(node)) ?? "") as { original: object };
  node.host.files.writeAtomic(
    recordPath(node),
    JSON.stringify({ ...record, original: { ...record.original, traits: undefined } }),
  );
  using netns = node.host.namespaces.open("/run/netns/web-1");
  using netlink = node.host.openNetlink(netns);
  const index = netlink.getLink({ name: "net1" })?.index ?? 0;
  netlink.setLink(index, { set: "trait", trait: "hasArp", value: false });
  netlink.setLink(index, { set: "trait", trait: "hasMulticast", value: false });
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("DEL undoes what tuning, or the pod, set on the queues", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  using netns = node.host.namespaces.open("/run/netns/web-1");
  if (netns === undefined) throw new Error("no namespace");
  using sysfs = node.host.namespaces.openSysfs(netns);
  sysfs.writeText("class/net/net1/queues/rx-0/rps_cpus", "0c");
  sysfs.writeText("class/net/net1/queues/rx-0/rps_flow_cnt", "4096");
  sysfs.writeText("class/net/net1/queues/tx-0/xps_cpus", "0c");
  sysfs.writeText("class/net/net1/queues/tx-0/xps_rxqs", "1");
  await callCni(node.host, config, { command: "DEL" });
  expect(node.toText()).toBe(before);
});

test.each([0, 400, 9000])("with the namespace gone DEL waits for the VF to come home (%i ms)", async (ms) => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1", ms);
  expect(await callCni(node.host, config, { command: "DEL", netns: "" })).toMatchObject(done);
  expect(node.toText()).toBe(withoutPod(before));
});

test("a VF that comes home by itself under a name that is no text is found, and gets its own", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  {
    using netns = openNetnsOf(node);
    using inside = node.host.openNetlink(netns);
    const index = inside.getLink({ name: "net1" })?.index ?? 0;
    inside.setLink(index, { set: "up", value: false });
    inside.setLink(index, { set: "name", value: "a\udcff" });
  }
  node.removeNetns("web-1");
  expect(await callCni(node.host, config, { command: "DEL", netns: "" })).toMatchObject(done);
  expect(node.toText()).toBe(withoutPod(before));
});

test("a VF that does not come home is an error after 10 s, and the next DEL finishes", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1", 15_000);
  const answer = await callCni(node.host, config, { command: "DEL" });
  expect(answer.json).toMatchObject({
    code: 103,
    msg: expect.stringContaining("did not come back to the host within 10000 ms") as string,
  });
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(withoutPod(before));
});

test("a DEL of an old sandbox leaves the VF of the new pod alone, and releases its own lease", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.addNetns("web-2");
  node.removeNetns("web-1");
  await callCni(node.host, config, { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") });
  node.ipam.leases.set("blue c1 net1", "192.0.2.77/24");
  const before = node.toText();
  expect(await callCni(node.host, config, { command: "DEL", netns: "" })).toMatchObject(done);
  expect(node.toText()).toBe(before.replace("lease blue c1 net1 192.0.2.77/24\n", ""));
});

test("another VF at the same address is not touched for an old record", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1");
  const record = JSON.parse(node.host.files.readText(recordPath(node)) ?? "") as { device: object };
  const other = { ...record, device: { ...record.device, inode: "1" } };
  node.host.files.writeAtomic(recordPath(node), JSON.stringify(other));
  using netlink = node.host.openNetlink();
  const vf = netlink.getLink({ name: "net1" });
  expect(await callCni(node.host, config, { command: "DEL", netns: "" })).toMatchObject(done);
  expect(netlink.getLink({ name: "net1" })).toEqual(vf);
  expect(node.toText()).not.toMatch(/attachments|lease/);
});

test("after a reboot DEL releases the lease and forgets the record, and leaves the VF alone", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1");
  node.clock.reboot();
  using netlink = node.host.openNetlink();
  const vf = netlink.getLink({ name: "net1" });
  expect(await callCni(node.host, config, { command: "DEL", netns: "" })).toMatchObject(done);
  expect(netlink.getLink({ name: "net1" })).toEqual(vf);
  expect(node.toText()).not.toMatch(/attachments|lease/);
});

test("with the record lost DEL resets the VF that it finds in the namespace under its name", async () => {
  using node = await createUnrecordedNode(config);
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toMatchInlineSnapshot(`
    "host
      ens1f0 0000:3b:00.0 mac 02:00:00:00:00:ff mtu 1500 up
      ens1f0 vf 0 mac 02:00:00:00:00:00 vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 0 qos 0 802.1q spoof on trust off state auto rate 0-0
      ens1f0v0 0000:3b:02.0 mac 02:00:00:00:00:00 mtu 1500 down altnames enp0s0v0 rx-0 rps 00 flows 0 tx-0 xps 00
      ens1f0v1 0000:3b:02.1 mac 02:00:00:00:00:01 mtu 1500 down rx-0 rps 00 flows 0 tx-0 xps 00
      eth0 virtual mac 02:00:00:00:ff:01 mtu 1500 up
      route 0.0.0.0/0 via 198.51.100.1 dev eth0
    /run/netns/web-1"
  `);
});

test("with the record lost DEL takes away, too, what else the pod set", async () => {
  using node = await createUnrecordedNode(config, (inside, index) => {
    inside.setLink(index, { set: "trait", trait: "hasArp", value: false });
    inside.setLink(index, { set: "trait", trait: "hasMulticast", value: false });
    inside.setLink(index, { set: "trait", trait: "broadcast", value: "02:ee:ee:ee:ee:ee" });
    inside.setLink(index, { set: "trait", trait: "linkMode", value: 1 });
    inside.setLink(index, { set: "trait", trait: "group", value: 7 });
    inside.setLink(index, { set: "alias", value: "of web-1" });
    inside.setLink(index, { set: "txQueueLength", value: 7 });
  });
  {
    using netns = openNetnsOf(node);
    using sysfs = node.host.namespaces.openSysfs(netns);
    sysfs.writeText("class/net/net1/threaded", "1");
  }
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).not.toMatch(/hasArp|hasMulticast|broadcast|linkMode|group|alias|qlen/);
  expect(node.host.files.readText(`${node.root}/sys/class/net/ens1f0v1/threaded`)?.trim()).toBe("0");
});

test("with the record lost DEL leaves a VF of another name alone", async () => {
  using node = await createUnrecordedNode(config, (inside, index) => {
    inside.setLink(index, { set: "up", value: false });
    inside.setLink(index, { set: "name", value: "other" });
  });
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  using netns = openNetnsOf(node);
  using inside = node.host.openNetlink(netns);
  expect(inside.getLink({ name: "other" })).toBeDefined();
});

test.each(["", "{", '{"format":"7.0"}'])(
  "an unreadable record (%j) is moved aside, the VF brought home",
  async (text) => {
    const { node } = await createAttachedNode(config);
    using _node = node;
    node.host.files.writeAtomic(recordPath(node), text);
    expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
    expect(node.toText()).toContain("quarantine 0000:3b:02.1.");
    expect(node.toText()).not.toMatch(/attachments|lease/);
    expect(node.toText()).toContain("vlan 0 qos 0 802.1q spoof on trust off");
    using netlink = node.host.openNetlink();
    expect(netlink.listLinks().some((link) => link.parentDevice === "0000:3b:02.1" && !link.isUp)).toBe(true);
  },
);

test("an IPAM delegate that fails does not keep the VF from coming home; the next DEL releases the lease", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  const broken = {
    ...node.host,
    exec: { run: async () => ({ exitCode: 1, stdout: "", stderr: "no disk" }) },
  };
  const answer = await callCni(broken, config, { command: "DEL" });
  expect(answer.json).toMatchObject({
    code: 104,
    msg: expect.stringContaining("exit code 1: no disk") as string,
  });
  expect(node.toText()).toContain("  ens1f0v1 0000:3b:02.1 mac 02:00:00:00:00:01 mtu 1500 down");
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("the lease is released as ADD took it, also when the configuration changed since", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  const changed = { ...config, cniVersion: "0.4.0", name: "blue", vlan: 5, ipam: { type: "static" } };
  expect(await callCni(node.host, changed, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
  expect(JSON.parse(node.ipam.calls.at(-1)?.stdin ?? "")).toMatchObject({ type: "host-local", ipam });
});

test("a configuration that became wrong after ADD, or a pod's own wrong words, keep no pod from ending", async () => {
  using node = createPodNode();
  const before = node.toText();
  const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
  await callCni(node.host, { ...config, ipam });
  const wrong = {
    ...config,
    vlan: "5",
    vlanQs: 1,
    announce: 1,
    ipam: { type: "../x" },
    args: { cni: { vlan: 1 } },
  };
  const answer = await callCni(node.host, wrong, { command: "DEL", args: `${podArgs("web-1")};TRUST=on` });
  expect(answer).toMatchObject(done);
  expect(answer.stderr).toContain('msg="passed over in the configuration"');
  expect(node.toText()).toBe(before);
});
