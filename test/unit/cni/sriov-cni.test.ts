// DEL of pods that sriov-cni started before virtfn was installed under its name.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { callCni, podArgs, type TestCall } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";
import { createUserspaceNode, userspaceConfig, vfioAllowed } from "../../support/userspace-node.ts";

const vf = "0000:3b:02.1";
const mac = "02:00:00:00:01:01";
const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "sriov",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  trust: "on",
  max_tx_rate: 500,
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};
const done = { exitCode: 0, json: undefined };

/** As sriov-cni 2.10 writes it: Go's names, everything there, zero for what the driver does not tell. */
function cacheOf(node: FakeHost, change: object = {}): object {
  const link = [...node.kernel.host.links.values()].find(({ name }) => name === "ens1f0v1");
  const state = {
    HostIFName: "ens1f0v1",
    SpoofChk: true,
    Trust: false,
    AdminMAC: "00:00:00:00:00:00",
    EffectiveMAC: link?.mac ?? mac,
    Vlan: 0,
    VlanQoS: 0,
    VlanProto: 33024,
    MinTxRate: 0,
    MaxTxRate: 0,
    LinkState: 0,
    MTU: 1500,
  };
  return { ...config, deviceID: vf, Master: "ens1f0", VFID: 1, OrigVfState: { ...state, ...change } };
}

interface Started {
  readonly node: FakeHost;
  /** The node's text before the pod, with every lock and record of ours left out: there were none. */
  readonly before: string;
  readonly cache: string;
  readonly mark: string;
}

/** A node whose pod shop/web-1 has VF 1 by sriov-cni: as virtfn attaches it, but with sriov-cni's files in the place of ours. */
async function start(change: object = {}): Promise<Started> {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 3 }]);
  node.addNetns("web-1");
  const before = node.toText();
  const cached = JSON.stringify(cacheOf(node, change));
  const added = await callCni(node.host, { ...config, deviceID: vf });
  expect(added).toMatchObject({ exitCode: 0 });
  node.host.files.remove(`${node.host.paths.attachments}/${vf}.json`);
  const [cache, mark] = ["c1-net1", `pci/${vf}`].map((name) => `${node.host.paths.sriovCni}/${name}`);
  if (cache === undefined || mark === undefined) throw new Error("no paths");
  node.host.files.writeAtomic(cache, cached);
  node.host.files.writeAtomic(mark, "/run/netns/web-1");
  return { node, before, cache, mark };
}

async function del(node: FakeHost, call: TestCall = {}, change: object = {}): Promise<unknown> {
  return callCni(node.host, { ...config, ...change }, { command: "DEL", ...call });
}

function left(node: FakeHost): readonly string[] {
  const files = fs.readdirSync(node.host.paths.sriovCni, { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile()).map((file) => file.name);
}

test.each([
  ["with its device in the call", { deviceID: vf }],
  ["without", {}],
])(
  "DEL %s puts the VF back as sriov-cni found it, releases the address, and forgets both",
  async (_title, change) => {
    const { node, before } = await start();
    using _node = node;
    expect(await del(node, {}, change)).toMatchObject(done);
    expect(node.toText()).toBe(before);
    expect(left(node)).toEqual([]);
    expect(await del(node, { netns: "" }, change)).toMatchObject(done);
    expect(node.toText()).toBe(before);
  },
);

test("DEL when the namespace is gone does the same", async () => {
  const { node, before } = await start();
  using _node = node;
  node.removeNetns("web-1", 500);
  expect(await del(node, { netns: "" })).toMatchObject(done);
  expect(node.toText().trimEnd()).toBe(before.replace(/\/run\/netns\/web-1\n?/, "").trimEnd());
});

test("settings that the VF had before the pod come back, not the driver's defaults", async () => {
  const { node } = await start({ Vlan: 7, VlanQoS: 2, MTU: 1400, MaxTxRate: 200, HostIFName: "data1" });
  using _node = node;
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toMatch(/vf 1 .*vlan 7 qos 2/);
  expect(node.toText()).toMatch(/ {2}data1 .*mtu 1400/);
});

test("an entry of an older sriov-cni, without Trust, VlanProto and MTU: what the network set is put to off", async () => {
  const { node, before } = await start({ Trust: undefined, VlanProto: undefined, MTU: undefined });
  using _node = node;
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("after a restart of the node the VF is another one: the address is released, no more", async () => {
  const { node, cache } = await start();
  using _node = node;
  node.removeNetns("web-1");
  const { host } = node;
  host.files.writeAtomic(`${host.paths.proc}/uptime`, "60.00 100.00\n");
  fs.utimesSync(cache, new Date(host.clock.nowMs() - 120_000), new Date(host.clock.nowMs() - 120_000));
  const attached = node.toText();
  expect(await del(node, { netns: "" })).toMatchObject(done);
  expect(node.toText()).toBe(attached.replace(/\nlease .*/, ""));
  expect(left(node)).toEqual([]);
});

test("a VF that a pod of ours has by now is left alone", async () => {
  const { node } = await start();
  using _node = node;
  node.removeNetns("web-1");
  const netns = node.addNetns("web-2");
  const call = { containerId: "c2", netns, args: podArgs("web-2") };
  const given = { cniVersion: "1.0.0", name: "red", type: "virtfn", deviceID: vf };
  expect(await callCni(node.host, given, call)).toMatchObject({ exitCode: 0 });
  const attached = node.toText();
  expect(await del(node, { netns: "" })).toMatchObject(done);
  expect(node.toText()).toBe(attached.replace(/\nlease .*/, ""));
});

test("a VF that sriov-cni gave to another pod since, which lives, is left alone, with its mark", async () => {
  const { node, mark } = await start();
  using _node = node;
  const text = node.toText();
  const late = { containerId: "c0", netns: "/run/netns/gone", args: podArgs("web-0") };
  node.host.files.writeAtomic(`${node.host.paths.sriovCni}/c0-net1`, JSON.stringify(cacheOf(node)));
  expect(await del(node, late)).toMatchObject(done);
  expect(node.toText()).toBe(text);
  expect(fs.existsSync(mark)).toBe(true);
  expect(left(node)).toEqual(["c1-net1", vf]);
});

test.each(["", "{", "{}", '{"deviceID":"x","OrigVfState":{}}', '{"deviceID":"0000:3b:02.1"}'])(
  "an entry that is none (%j): the VF gets its driver's defaults, as without one",
  async (text) => {
    const { node, cache } = await start();
    using _node = node;
    node.host.files.writeAtomic(cache, text);
    expect(await del(node, {}, { deviceID: vf })).toMatchObject(done);
    expect(node.toText()).not.toMatch(/vlan 100|lease|net1/);
  },
);

test("while the release fails the entry stays, and the next DEL goes on from there", async () => {
  const { node, before } = await start();
  using _node = node;
  const broken = {
    ...node.host,
    openNetlink: () => {
      throw new Error("no netlink");
    },
  };
  const failed = await callCni(broken, config, { command: "DEL" });
  expect(failed.exitCode).toBe(1);
  expect(left(node)).toHaveLength(2);
  expect(await del(node)).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

/** A node is made for each call. */
const slowMs = 60_000;

test("killed at any host call, the next DEL finishes it", { timeout: slowMs }, async () => {
  for (let at = 0, isOver = false; !isOver; at += 1) {
    const { node, before } = await start();
    using _node = node;
    const faulty = withFault(node.host, { at, how: "killAfter" });
    await callCni(faulty.host, config, { command: "DEL" });
    node.endProcess();
    isOver = !faulty.isHit();
    expect({ at, answer: await del(node) }).toMatchObject({ at, answer: done });
    expect({ at, text: node.toText(), left: left(node) }).toEqual({ at, text: before, left: [] });
    expect(at).toBeLessThan(500);
  }
});

test("the folder of sriov-cni is where a node has it", () => {
  using node = createFakeHost();
  expect(node.host.paths.sriovCni).toBe(join(node.root, "var/lib/cni/sriov"));
});

/** Of a VF that no interface shows in its pod: as sriov-cni leaves it, where the kubelet gives it out under a new name of its resource. */
function markUserspace(node: FakeHost): void {
  node.host.files.writeAtomic(`${node.host.paths.sriovCni}/pci/${vf}`, "/run/netns/web-1");
}

test("a VF of vfio-pci that a pod of sriov-cni has is given to nobody else until that pod is gone", async () => {
  using node = createUserspaceNode([1]);
  markUserspace(node);
  const before = node.toText();
  const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };
  expect(await callCni(node.host, userspaceConfig, second)).toMatchObject({
    json: {
      code: 11,
      msg: expect.stringMatching(
        /ERR_VF_BUSY: .*shop\/web-2 as net1: sriov-cni gave it to a pod whose namespace \/run\/netns\/web-1 exists/,
      ) as string,
    },
  });
  expect(node.toText()).toBe(before);
  node.removeNetns("web-1");
  expect(await callCni(node.host, userspaceConfig, second)).toMatchObject({ exitCode: 0 });
});

test("nor is it picked where a network names its PF; a mark from before a restart of the node is nobody's", async () => {
  using node = createUserspaceNode([1], `pfs: [ens1f0]\n${vfioAllowed}`);
  markUserspace(node);
  const { host } = node;
  const { deviceID: _device, mac: _mac, ...settings } = userspaceConfig;
  const picked = { ...settings, pf: "ens1f0", driver: "vfio-pci" };
  const given: unknown[] = [];
  for (const pod of ["web-3", "web-4"]) {
    const netns = node.addNetns(pod);
    const call = { containerId: pod, netns, args: podArgs(pod) };
    given.push((await callCni(host, picked, call)).json?.["interfaces"]);
  }
  expect(given).toMatchObject([[{ pciID: "0000:3b:02.0" }], [{ pciID: "0000:3b:02.2" }]]);
  host.files.writeAtomic(`${host.paths.proc}/uptime`, "60.00 100.00\n");
  const long = new Date(host.clock.nowMs() - 120_000);
  fs.utimesSync(`${host.paths.sriovCni}/pci/${vf}`, long, long);
  const last = { containerId: "c5", netns: node.addNetns("web-5"), args: podArgs("web-5") };
  expect((await callCni(host, picked, last)).json).toMatchObject({ interfaces: [{ pciID: vf }] });
});
