// CHECK, GC and an awkward DEL on the real kernel: veth ends stand in for VFs.

import { expect, test } from "vitest";

import { createTestNetns } from "../../support/netns.ts";
import { createStandInNode } from "../../support/stand-in-node.ts";

const config = {
  cniVersion: "1.1.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.0",
  vlan: 100,
  mac: "02:aa:bb:cc:dd:01",
  mtu: 1400,
  ips: ["192.0.2.50/24", "2001:db8::50/64"],
  gateway: "192.0.2.1",
  routes: [{ dst: "198.51.100.0/24" }, { dst: "2001:db8:9::/64", gw: "2001:db8::1" }],
};
const done = { exitCode: 0, json: undefined };

test("CHECK has nothing to say right after ADD, and lists what the pod changed since", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const env = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  const added = await node.call("ADD", config, env);
  const later = { ...config, prevResult: added.json };
  expect(await node.call("CHECK", later, env)).toMatchObject(done);
  pod.ip("address del 192.0.2.50/24 dev net1");
  pod.ip("link set net1 mtu 1300");
  const { json } = await node.call("CHECK", later, env);
  expect(json?.["code"]).toBe(105);
  expect(String(json?.["msg"]).split("0000:3b:02.0 as net1: ").slice(1)).toEqual([
    "mtu: expected 1400, got 1300 | ",
    expect.stringMatching(/^address: expected 192\.0\.2\.50\/24, got .*2001:db8::50\/64.* \| $/) as string,
    "route: expected 198.51.100.0/24 via 192.0.2.1, got none",
  ]);
});

test("what a pod builds on its VF, and where it hides it, does not keep the VF from coming home", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  using third = createTestNetns();
  const before = node.toText();
  const env = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
  expect(await node.call("ADD", config, env)).toMatchObject({ exitCode: 0 });
  pod.ip("link set net1 down");
  pod.ip("link set net1 name mine");
  pod.ip(`link set mine netns ${third.name}`);
  third.ip("link add link mine name mine.up type macvlan");
  third.ip("address add 203.0.113.9/24 dev mine");
  expect(await node.call("DEL", config, env)).toMatchObject(done);
  expect(node.toText()).toBe(before);
  expect(third.look("link show").map(({ ifname }) => ifname)).toEqual(["lo"]);
});

test("GC brings home what is not listed, from a namespace that still exists", async () => {
  using node = createStandInNode(2);
  using kept = createTestNetns();
  using stale = createTestNetns();
  const before = node.toText();
  await node.call("ADD", config, { CNI_CONTAINERID: "stale", CNI_NETNS: stale.path });
  const other = { ...config, deviceID: "0000:3b:02.1", mac: "02:aa:bb:cc:dd:02" };
  await node.call("ADD", other, { CNI_CONTAINERID: "kept", CNI_NETNS: kept.path });
  const { deviceID: _given, ...network } = config;
  const list = { "cni.dev/valid-attachments": [{ containerID: "kept", ifname: "net1" }] };
  expect(await node.call("GC", { ...network, ...list }, {})).toMatchObject(done);
  expect(stale.look("link show").map(({ ifname }) => ifname)).toEqual(["lo"]);
  expect(kept.look("link show").map(({ ifname }) => ifname)).toEqual(["lo", "net1"]);
  expect(await node.call("GC", { ...network, "cni.dev/valid-attachments": [] }, {})).toMatchObject(done);
  expect(node.toText()).toBe(before);
});
