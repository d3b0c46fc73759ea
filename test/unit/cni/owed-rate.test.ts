// A rate that the PF does not take back while it has no link: the pod ends all the same, and the VF owes it to the next one.

import { expect, test } from "vitest";

import { NetlinkError, SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { readAttachment } from "../../../sriov/attachment-store.ts";
import { ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { applyRepair, planRepair, type RepairStep } from "../../../sriov/repair.ts";
import { createAttachedNode, createPodNode } from "../../support/attached-node.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const address = parsePciAddress("0000:3b:02.1");
const config = {
  cniVersion: "1.1.0",
  name: "blue",
  type: "virtfn",
  deviceID: address,
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  mtu: 1400,
  trust: "on",
  spoofchk: "off",
  max_tx_rate: 100,
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};
const done = { exitCode: 0, json: undefined };
const record = "attachments 0000:3b:02.1.json";

const failing: Host["exec"] = { run: async () => ({ exitCode: 1, stdout: "", stderr: "" }) };

function refuseForRoom(path: string): never {
  throw new SystemCallError("write", path, "ENOSPC");
}

function plug(node: FakeHost, hasCarrier: boolean): void {
  const pf = [...node.kernel.host.links.values()].find(({ name }) => name === "ens1f0");
  if (pf === undefined) throw new Error("there is no PF");
  pf.hasCarrier = hasCarrier;
}

/** The node with the pod, its cable out; `owed` is how a DEL has to leave it. */
async function createUnpluggedNode(
  change: object = {},
): Promise<{ readonly node: FakeHost; readonly before: string; readonly owed: string }> {
  const { node, before } = await createAttachedNode({ ...config, ...change });
  plug(node, false);
  const withLimit = before.replace(/(ens1f0 vf 1 .*rate )0-0/, "$10-100");
  return { node, before, owed: `${withLimit}\n${record}` };
}

async function del(host: Host, call: object = {}, change: object = {}): Promise<TestAnswer> {
  return await callCni(host, { ...config, ...change }, { command: "DEL", ...call });
}

function warningsOf({ stderr }: TestAnswer): readonly string[] {
  return stderr.split("\n").filter((line) => line.includes("level=warning"));
}

async function addNext(node: FakeHost): Promise<TestAnswer> {
  const call = { containerId: "c2", netns: node.addNetns("web-2"), args: podArgs("web-2") };
  return await callCni(node.host, { ...config, max_tx_rate: undefined }, call);
}

async function repair(host: Host): Promise<readonly RepairStep[]> {
  const rule = ofGoneOwners(host, () => undefined);
  return await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs: 0 });
}

test("DEL gives all else back, warns in one line and keeps the record, as often as it is called", async () => {
  const { node, owed } = await createUnpluggedNode();
  using _node = node;
  for (const netns of ["/run/netns/web-1", ""]) {
    const answer = await del(node.host, { netns });
    expect(answer).toMatchObject(done);
    const [warning, ...more] = warningsOf(answer);
    expect(warning).toMatch(
      /msg="the VF keeps the rate of the pod, as its PF has no link: it is put back when there is one, and no other pod gets the VF before" .* pciAddress=0000:3b:02\.1 expected="rate 0-0 Mbit\/s" got="rate 0-100 Mbit\/s"$/,
    );
    expect(more).toEqual([]);
    expect(node.toText()).toBe(owed);
    expect(readAttachment(node.host, address)).toMatchObject({ state: "releasing" });
  }
  const releases = node.ipam.calls.filter(({ env }) => env["CNI_COMMAND"] === "DEL");
  expect(releases).toHaveLength(1);
});

test("the next pod does not get the VF with the limit: its ADD says why, and succeeds once the link is there", async () => {
  const { node, owed } = await createUnpluggedNode();
  using _node = node;
  await del(node.host);
  node.removeNetns("web-1");
  const { json } = await addNext(node);
  expect(json).toMatchObject({
    code: 102,
    msg:
      'ERR_RELEASE: step "claim": giving back 0000:3b:02.1: setting rate 0-0 Mbit/s on ens1f0 vf 1: ' +
      "setting rate of ens1f0 vf 1: EINVAL; its PF has no link, and takes no rate without one",
  });
  expect(node.toText()).toBe(owed.replaceAll("web-1", "web-2"));
  plug(node, true);
  expect(await addNext(node)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toMatch(/ens1f0 vf 1 mac 02:aa:bb:cc:dd:01 admin vlan 100 .*rate 0-0/);
});

test("a DEL that is repeated leaves the address of another pod alone that got the same one", async () => {
  const { node } = await createUnpluggedNode();
  using _node = node;
  await del(node.host);
  const call = { containerId: "c2", netns: node.addNetns("web-2"), args: podArgs("web-2") };
  const other = { ...config, deviceID: "0000:3b:02.0", mac: "02:aa:bb:cc:dd:02", max_tx_rate: undefined };
  expect(await callCni(node.host, other, call)).toMatchObject({ exitCode: 0 });
  const leases = [...node.ipam.leases];
  expect(leases).toEqual([["blue c2 net1", "192.0.2.2/24"]]);
  expect(await del(node.host, { netns: "" })).toMatchObject(done);
  expect([...node.ipam.leases]).toEqual(leases);
});

test("repair tells it while the link is down, and puts the rate back when it is up and the pod is gone", async () => {
  const { node, before } = await createUnpluggedNode();
  using _node = node;
  await del(node.host);
  node.removeNetns("web-1");
  expect(await repair(node.host)).toMatchObject([
    { action: "release", problem: { code: "ERR_RELEASE", message: expect.stringContaining("has no link") } },
  ]);
  plug(node, true);
  expect(await repair(node.host)).toMatchObject([{ action: "release", problem: undefined }]);
  expect(`${node.toText()}\n/run/netns/web-1`).toBe(before);
});

test("GC does so, too", async () => {
  const { node, before } = await createUnpluggedNode();
  using _node = node;
  await del(node.host);
  const unused = { ...config, "cni.dev/valid-attachments": [] };
  const { json } = await callCni(node.host, unused, { command: "GC" });
  expect(json?.["msg"]).toMatch(/^ERR_RELEASE: .*has no link/);
  plug(node, true);
  expect(await callCni(node.host, unused, { command: "GC" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("a later DEL does so, too", async () => {
  const { node, before } = await createUnpluggedNode();
  using _node = node;
  await del(node.host);
  plug(node, true);
  const answer = await del(node.host);
  expect(answer).toMatchObject(done);
  expect(warningsOf(answer)).toEqual([]);
  expect(node.toText()).toBe(before);
});

test("after a start of the node the PF is new and nothing is owed", async () => {
  const { node } = await createUnpluggedNode();
  using _node = node;
  await del(node.host);
  const later: Host = { ...node.host, clock: { ...node.host.clock, bootId: () => "later" } };
  expect(await del(later)).toMatchObject(done);
  expect(node.toText()).not.toContain(record);
});

test("a VF that is reset between pods is reset once", async () => {
  const { node, owed } = await createUnpluggedNode({ resetBetweenPods: true });
  using _node = node;
  for (const _again of [1, 2]) {
    expect(await del(node.host)).toMatchObject(done);
    await node.clock.advance(1000);
    expect(node.toText()).toBe(owed);
    expect(node.kernel.resets).toEqual([address]);
  }
});

test("a VF without an interface owes its rate, too", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, userspace: [1] }]);
  node.addNetns("web-1");
  const before = node.toText();
  const { mtu: _mtu, ...settings } = config;
  expect(await callCni(node.host, settings)).toMatchObject({ exitCode: 0 });
  plug(node, false);
  const answer = await callCni(node.host, settings, { command: "DEL" });
  expect(answer).toMatchObject(done);
  expect(warningsOf(answer)).toHaveLength(1);
  expect(node.toText()).toContain(record);
  plug(node, true);
  expect(await callCni(node.host, settings, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("a full disk is no reason for the pod to stay", async () => {
  const { node, before, owed } = await createUnpluggedNode();
  using _node = node;
  const full: Host = { ...node.host, files: { ...node.host.files, writeAtomic: refuseForRoom } };
  expect(await del(full)).toMatchObject(done);
  expect(node.toText()).toBe(owed);
  plug(node, true);
  expect(await del(node.host)).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("with anything else left to do DEL fails", async () => {
  const { node } = await createUnpluggedNode();
  using _node = node;
  const { json } = await del({ ...node.host, exec: failing });
  expect(json?.["msg"]).toMatch(/^ERR_RELEASE: .*host-local.*; setting rate 0-0 .*has no link/);
  expect(readAttachment(node.host, address)?.ipam).toBeDefined();
  expect(await del(node.host)).toMatchObject(done);
});

test("a rate that is refused with a link is an error of DEL", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  const openNetlink: Host["openNetlink"] = (netns) => {
    const netlink = node.host.openNetlink(netns);
    const setVf: typeof netlink.setVf = (pf, vf, change) => {
      if (change.set === "rate") throw new NetlinkError("setting rate", "EINVAL");
      netlink.setVf(pf, vf, change);
    };
    return { ...netlink, setVf };
  };
  const { json } = await del({ ...node.host, openNetlink });
  expect(json?.["msg"]).toMatch(/setting rate 0-0 Mbit\/s on ens1f0 vf 1: setting rate: EINVAL$/);
});

test("an ADD that fails after the cable went tells both, and the DEL after it succeeds", async () => {
  using node = createPodNode();
  const before = node.toText();
  const moveLink = (): never => {
    plug(node, false);
    throw new NetlinkError("moving ens1f0v1", "EIO");
  };
  const openNetlink: Host["openNetlink"] = (netns) => ({ ...node.host.openNetlink(netns), moveLink });
  const { json } = await callCni({ ...node.host, openNetlink }, config);
  expect(json?.["msg"]).toMatch(/^ERR_RELEASE: step "undo": .*: EIO; .*setting rate 0-0 .*has no link/);
  expect(readAttachment(node.host, address)).toMatchObject({ state: "releasing" });
  expect([...node.ipam.leases]).toEqual([]);
  expect(await del(node.host)).toMatchObject(done);
  plug(node, true);
  expect(await del(node.host)).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("ADD of a network with a rate tells that the PF has no link", async () => {
  using node = createPodNode();
  plug(node, false);
  const before = node.toText();
  const { json } = await callCni(node.host, config);
  expect(json).toMatchObject({
    code: 102,
    msg:
      'ERR_VF_STEP: step "VF settings": setting rate 0-100 Mbit/s on ens1f0 vf 1: setting rate of ens1f0 vf 1: EINVAL; ' +
      "its PF has no link, and takes no rate without one",
  });
  expect(node.toText()).toBe(before);
});

test("with an unreadable record all else gets its default, and the record stays", async () => {
  const { node } = await createUnpluggedNode();
  using _node = node;
  node.host.files.writeAtomic(`${node.host.paths.attachments}/${address}.json`, "{");
  const { json } = await del(node.host);
  expect(json?.["msg"]).toMatch(/has no link/);
  expect(node.toText()).toMatch(
    /ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 0 qos 0 802\.1q spoof on trust off .*rate 0-100/,
  );
  expect(node.toText()).toContain(record);
});
