// Called as Multus does, and in the place of sriov-cni, on the real kernel: veth ends stand in for VFs.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createTestNetns, type TestNetns } from "../../support/netns.ts";
import { createStandInNode, type StandInNode } from "../../support/stand-in-node.ts";

const vf = "0000:3b:02.0";
const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", vlan: 100, trust: "on" };
const done = { exitCode: 0, json: undefined };

test("the device-info file is there after ADD, readable for all, and goes with DEL and with GC", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const file = join(node.root, "run/k8s.cni.cncf.io/devinfo/cni/default-blue-c1_net1");
  const path = "/var/run/k8s.cni.cncf.io/devinfo/cni/default-blue-c1_net1";
  const delegated = { ...config, deviceID: vf, runtimeConfig: { CNIDeviceInfoFile: path } };
  const env = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  const ends = [
    () => node.call("DEL", delegated, env),
    () => node.call("GC", { ...config, deviceID: vf, "cni.dev/valid-attachments": [] }, {}),
  ];
  for (const end of ends) {
    expect(await node.call("ADD", delegated, env)).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(fs.readFileSync(file, "utf8"))).toEqual({
      type: "pci",
      version: "1.1.0",
      pci: { "pci-address": vf, "pf-pci-address": "0000:3b:00.0" },
    });
    expect(fs.statSync(file).mode & 0o777).toBe(0o444);
    expect(await end()).toMatchObject(done);
    expect(fs.readdirSync(join(file, ".."))).toEqual([]);
  }
});

/** What sriov-cni does at ADD, by iproute2: the link to the pod as net1, VLAN and trust at the PF, and its notes of both. */
function startBySriovCni(node: StandInNode, pod: TestNetns): string {
  const [link] = node.host.look("link show pf0v0");
  const pf = join(node.root, "pf.json");
  const [info, ...others] = JSON.parse(fs.readFileSync(pf, "utf8")) as readonly object[];
  const cache = join(node.root, "var/lib/cni/sriov");
  fs.mkdirSync(join(cache, "pci"), { recursive: true });
  const state = { HostIFName: "pf0v0", SpoofChk: true, Trust: false, AdminMAC: "00:00:00:00:00:00" };
  const more = { EffectiveMAC: link?.["address"], Vlan: 0, VlanQoS: 0, VlanProto: 33024, MTU: 1500 };
  const rates = { MinTxRate: 0, MaxTxRate: 0, LinkState: 0 };
  const notes = { ...config, type: "sriov", deviceID: vf, OrigVfState: { ...state, ...more, ...rates } };
  node.host.ip("link set pf0v0 down");
  node.host.ip("link set pf0v0 name temp_7");
  node.host.ip(`link set temp_7 netns ${pod.name}`);
  pod.ip("link set temp_7 name net1");
  pod.ip("link set net1 mtu 1400");
  pod.ip("link set net1 up");
  fs.writeFileSync(pf, JSON.stringify([{ ...info, vlan: 100, trust: true }, ...others]));
  fs.writeFileSync(join(cache, "c1-net1"), JSON.stringify(notes));
  fs.writeFileSync(join(cache, "pci", vf), pod.path);
  return cache;
}

test.each(["while its namespace is there", "when it is gone"])(
  "DEL of a pod that sriov-cni started puts its VF back %s, and forgets what sriov-cni noted",
  async (how) => {
    using node = createStandInNode(2);
    using pod = createTestNetns();
    const before = node.toText();
    const cache = startBySriovCni(node, pod);
    expect(node.toText()).not.toBe(before);
    const env = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
    if (how === "when it is gone") pod.ip(`link set net1 netns ${node.host.name}`);
    const given = how === "when it is gone" ? { ...env, CNI_NETNS: "" } : env;
    if (how === "when it is gone") pod[Symbol.dispose]();
    expect(await node.call("DEL", { ...config, type: "sriov" }, given)).toMatchObject(done);
    expect(node.toText()).toBe(before);
    expect(fs.readdirSync(cache, { recursive: true })).toEqual(["pci"]);
    expect(await node.call("DEL", { ...config, type: "sriov" }, given)).toMatchObject(done);
  },
);
