// DEL of what pods and downgrades leave behind: VFs moved on or built upon, records of other formats.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import { createAttachedNode } from "../../support/attached-node.ts";
import { callCni, podArgs, type TestCall } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { addLink } from "../../support/fake-host-kernel.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  mtu: 9000,
  trust: "on",
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};
const done = { exitCode: 0, json: undefined };
const recordPath = (node: FakeHost): string => `${node.host.paths.attachments}/0000:3b:02.1.json`;

async function del(node: FakeHost, call: TestCall = {}, change: object = {}): Promise<unknown> {
  return callCni(node.host, { ...config, ...change }, { command: "DEL", ...call });
}

/** A VLAN on top of another link of the namespace, as a pod with CAP_NET_ADMIN makes it. */
function addVlan(node: FakeHost, lower: string, name: string): void {
  const netns = node.kernel.mounted.get("/run/netns/web-1");
  const below = [...(netns?.links.values() ?? [])].find((link) => link.name === lower);
  if (netns === undefined || below === undefined) throw new Error(`there is no ${lower}`);
  const vlan = addLink(node.kernel, { name, mac: below.mac, kind: "vlan", lower: below.index, isUp: true });
  node.kernel.host.links.delete(vlan.index);
  netns.links.set(vlan.index, vlan);
}

function moveVf(node: FakeHost, to: string): void {
  using from = node.host.namespaces.open("/run/netns/web-1");
  using target = node.host.namespaces.open(`/run/netns/${to}`);
  using netlink = node.host.openNetlink(from);
  if (target === undefined) throw new Error(`there is no ${to}`);
  netlink.moveLink(netlink.getLink({ name: "net1" })?.index ?? 0, target);
}

/** The record as a release with another format would have written it. */
function rewrite(node: FakeHost, change: object): void {
  const record = JSON.parse(node.host.files.readText(recordPath(node)) ?? "") as object;
  node.host.files.writeAtomic(recordPath(node), JSON.stringify({ ...record, ...change }));
}

function withoutQuarantine(text: string): string {
  return text.replaceAll(/\nquarantine .*/g, "");
}

test("addresses and VLAN links that the pod put on the VF are gone with it", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  using netns = node.host.namespaces.open("/run/netns/web-1");
  using netlink = node.host.openNetlink(netns);
  const index = netlink.getLink({ name: "net1" })?.index ?? 0;
  for (const address of ["198.51.100.7", "203.0.113.7"])
    netlink.addAddress(index, { family: 4, address, prefixLength: 24 });
  addVlan(node, "net1", "net1.7");
  addVlan(node, "net1", "net1.8");
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("VLAN links on other interfaces of the pod are not ours to delete", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  addVlan(node, "net1", "other");
  const other = [...(node.kernel.mounted.get("/run/netns/web-1")?.links.values() ?? [])].at(-1);
  if (other !== undefined) other.lower = 9999;
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toContain("  other vlan mac ");
});

test.each(["/run/netns/web-1", ""])(
  "a VF that the pod moved to a third namespace is brought home from there (CNI_NETNS %j)",
  async (netns) => {
    const { node, before } = await createAttachedNode(config);
    using _node = node;
    node.addNetns("third");
    moveVf(node, "third");
    if (netns === "") node.removeNetns("web-1");
    expect(await del(node, { netns })).toMatchObject(done);
    const expected = netns === "" ? before.replace("/run/netns/web-1", "/run/netns/third") : before;
    expect(node.toText().replace(/(?<=web-1)\n\/run\/netns\/third|\/run\/netns\/third\n(?=\/)/, "")).toBe(
      expected,
    );
  },
);

test("without a record a VF in a third namespace is left there, and ADD names that namespace", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.addNetns("third");
  moveVf(node, "third");
  node.host.files.remove(recordPath(node));
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toMatch(/\/run\/netns\/third\n {2}net1 0000:3b:02\.1/);
  expect(await callCni(node.host, config)).toMatchObject({
    json: { code: 11, msg: expect.stringContaining("in the namespace /run/netns/third as net1") as string },
  });
});

test("of a pod that is gone, a VF in a third namespace is given to no other, and ADD names pod and namespace", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  for (const name of ["third", "web-2"]) node.addNetns(name);
  moveVf(node, "third");
  node.removeNetns("web-1");
  const between = node.toText();
  const call = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };
  const { json } = await callCni(node.host, config, call);
  expect(json).toMatchObject({
    code: 11,
    msg: expect.stringMatching(
      /attached to pod shop\/web-1, .*; its namespace \/run\/netns\/web-1 is missing, but .*: it is in the namespace \/run\/netns\/third as net1$/,
    ) as string,
  });
  expect(node.toText()).toBe(between);
});

test("another namespace at the path of the pod's is not the pod's: DEL takes the VF from the host, and leaves that alone", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1", 500);
  node.addNetns("web-1");
  const other = addLink(node.kernel, { name: "net1", mac: "02:00:00:00:ee:01" });
  node.kernel.host.links.delete(other.index);
  node.kernel.mounted.get("/run/netns/web-1")?.links.set(other.index, other);
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toBe(`${before}\n  net1 virtual mac 02:00:00:00:ee:01 mtu 1500 down`);
  expect(node.ipam.calls.at(-1)?.env).toMatchObject({ CNI_COMMAND: "DEL", CNI_NETNS: "" });
});

test("with the VF gone DEL releases the lease and forgets the record", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.removeNetns("web-1");
  using netlink = node.host.openNetlink();
  const gone = netlink.getLink({ name: "net1" })?.index ?? 0;
  node.kernel.host.links.delete(gone);
  const { sys } = node.host.paths;
  for (const path of [`${sys}/bus/pci/devices/0000:3b:02.1`, `${sys}/class/net/net1`])
    fs.rmSync(path, { recursive: true, force: true });
  expect(await del(node, { netns: "" })).toMatchObject(done);
  expect(node.toText()).not.toMatch(/attachments|lease|quarantine/);
});

test("fields of a newer minor stay in the record while DEL works, and do not keep it from working", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  rewrite(node, { format: "1.7", extra: { rings: 512 } });
  const exec = { run: async () => ({ exitCode: 1, stdout: "", stderr: "no disk" }) };
  await callCni({ ...node.host, exec }, config, { command: "DEL" });
  const record = JSON.parse(node.host.files.readText(recordPath(node)) ?? "") as object;
  expect(record).toMatchObject({ format: "1.7", extra: { rings: 512 }, state: "releasing" });
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

// 0.x is what a release of the major before would have written: there never was one, so nothing reads it.
const foreign = [
  { name: "the major before", format: "0.9" },
  { name: "an unknown major", format: "2.0" },
] as const;

test.each(foreign)("ADD refuses a VF with a record of $name, naming the file", async ({ format }) => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  rewrite(node, { format });
  node.addNetns("web-2");
  node.removeNetns("web-1");
  const between = node.toText();
  const call = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };
  const { json } = await callCni(node.host, config, call);
  expect(json).toMatchObject({
    msg: expect.stringMatching(/ERR_RECORD_FORMAT: .*attachments\/0000:3b:02\.1\.json/) as string,
  });
  expect(node.toText()).toBe(between);
});

const ways = [
  { way: "by CNI_NETNS", call: {}, change: {}, isGone: false },
  { way: "without a namespace", call: { netns: "" }, change: {}, isGone: true },
  { way: "by the record's own words", call: { netns: "" }, change: { deviceID: undefined }, isGone: false },
] as const;

test.each(foreign.flatMap((record) => ways.map((way) => Object.assign({}, record, way))))(
  "DEL of a pod with a record of $name brings the VF home $way, releases its lease and sets the record aside",
  async ({ format, call, change, isGone }) => {
    const { node } = await createAttachedNode(config);
    using _node = node;
    rewrite(node, { format, original: "in other words" });
    if (isGone) node.removeNetns("web-1", 300);
    expect(await del(node, call, change)).toMatchObject(done);
    expect(node.toText()).toMatch(/quarantine 0000:3b:02\.1\./);
    expect(node.toText()).not.toMatch(/attachments|lease/);
    expect(node.toText()).toContain("  ens1f0v1 0000:3b:02.1 mac 02:00:00:00:00:01 mtu 1500 down");
    expect(node.toText()).toContain("vf 1 mac 02:00:00:00:00:01 vlan 0 qos 0 802.1q spoof on trust off");
    const settled = node.toText();
    expect(await del(node, call, change)).toMatchObject(done);
    expect(node.toText()).toBe(settled);
  },
);

test.each(foreign)(
  "a late DEL of another container leaves a VF with a record of $name alone",
  async ({ format }) => {
    const { node } = await createAttachedNode(config);
    using _node = node;
    rewrite(node, { format });
    const between = node.toText();
    expect(await del(node, { containerId: "c0", netns: "" })).toMatchObject(done);
    expect(node.toText()).toBe(between);
  },
);

test.each(["/run/netns/web-0", ""])(
  "a late DEL of an older sandbox of the same pod, whose namespace is %j, leaves a VF with a damaged record alone",
  async (netns) => {
    const { node } = await createAttachedNode(config);
    using _node = node;
    node.addNetns("web-0");
    node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
    for (const text of ["", "{", '{"format":"9.0"}']) {
      node.host.files.writeAtomic(recordPath(node), text);
      const between = node.toText();
      expect(await del(node, { containerId: "c0", netns })).toMatchObject(done);
      expect(node.toText()).toBe(between);
    }
    expect(await del(node)).toMatchObject(done);
    expect(node.toText()).toMatch(/host\n(?: .*\n)* {2}ens1f0v1 0000:3b:02\.1 /);
  },
);

test("a corrupt record of a VF in a third namespace stays: whose it is nobody knows", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.addNetns("third");
  moveVf(node, "third");
  node.host.files.writeAtomic(recordPath(node), "{");
  const between = node.toText();
  expect(await del(node)).toMatchObject(done);
  expect(withoutQuarantine(node.toText())).toBe(between.replace(/\nlease .*/, ""));
});
