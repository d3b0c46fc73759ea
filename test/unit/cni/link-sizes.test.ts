// queues and rings: set before the move, put back after the pod, refused where the driver lacks them.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { watchChanges } from "../../support/change-calls.ts";
import { callCni } from "../../support/cni-call.ts";
import type { FakeDriver } from "../../support/fake-host-kernel.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };

function makeNode(driver: FakeDriver): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, driver }]);
  node.addNetns("web-1");
  return node;
}

test("they are the pod's, and DEL puts them back", async () => {
  using node = makeNode("ice");
  const before = node.toText();
  const wanted = { ...config, queues: 8, rings: { rx: 1024 } };
  expect(await callCni(node.host, wanted)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toContain(
    "net1 0000:3b:02.1 mac 02:00:00:00:00:01 mtu 1500 up channels combined 8 rings rx 1024",
  );
  for (const _again of [1, 2]) {
    expect(await callCni(node.host, wanted, { command: "DEL" })).toMatchObject({ exitCode: 0 });
    expect(node.toText()).toBe(before);
  }
});

test("DEL puts back what the pod itself set with ethtool", async () => {
  using node = makeNode("ice");
  const before = node.toText();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  using netns = node.host.namespaces.open("/run/netns/web-1");
  using inside = node.host.openNetlink(netns);
  using ethtool = node.host.openEthtool(netns);
  const index = inside.getLink({ name: "net1" })?.index ?? 0;
  ethtool.setRings(index, { rx: 64, tx: 64 });
  ethtool.setFeatures(index, [0, 0]);
  ethtool.setCoalescing(index, { 2: 1000, 11: 0 });
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

test("what is so already is not set", async () => {
  using node = makeNode("ice");
  let changes = 0;
  const openEthtool: Host["openEthtool"] = (netns) => {
    const ethtool = node.host.openEthtool(netns);
    return {
      ...ethtool,
      setChannels: (index, values) => {
        changes += 1;
        ethtool.setChannels(index, values);
      },
      setRings: (index, values) => {
        changes += 1;
        ethtool.setRings(index, values);
      },
    };
  };
  const host = { ...node.host, openEthtool };
  const same = { ...config, queues: 4, rings: { rx: 256, tx: 256 } };
  expect(await callCni(host, same)).toMatchObject({ exitCode: 0 });
  await callCni(host, same, { command: "DEL" });
  expect(changes).toBe(0);
});

test("a driver without them, or with fewer, is told of at once, with every problem, and nothing is changed", async () => {
  using node = makeNode("igb");
  const before = node.toText();
  const { host, listChanges } = watchChanges(node.host);
  const { json } = await callCni(host, { ...config, vlan: 5, queues: 2, rings: { rx: 9000, tx: 512 } });
  expect(json).toMatchObject({ code: 102 });
  expect(json?.["msg"]).toContain(
    'ERR_LINK_SIZES: step "claim": queues: expected nothing, the driver of ens1f0v1 has no channels to set | ' +
      "rings.rx: expected at most 4096 (the driver of ens1f0v1), got 9000",
  );
  expect(node.toText()).toBe(before);
  expect(listChanges()).toEqual([]);
});

test("a size that the driver rounds is an error, and everything is put back", async () => {
  using node = makeNode("igb");
  const before = node.toText();
  const openEthtool: Host["openEthtool"] = (netns) => {
    const ethtool = node.host.openEthtool(netns);
    return {
      ...ethtool,
      setRings: (index, { rx = 0 }) => ethtool.setRings(index, { rx: Math.ceil(rx / 64) * 64 }),
    };
  };
  const { json } = await callCni({ ...node.host, openEthtool }, { ...config, rings: { rx: 1000 } });
  expect(json?.["msg"]).toContain(
    'reading back rings of link 5: expected {"rx":1000}, got {"rx":{"value":1024',
  );
  expect(node.toText()).toBe(before);
});

test("a driver that refuses: the pod gets no VF, and the VF is as it was", async () => {
  using node = makeNode("ice");
  const before = node.toText();
  const openEthtool: Host["openEthtool"] = (netns) => ({
    ...node.host.openEthtool(netns),
    setChannels: () => {
      throw new NetlinkError("set channels of link 5 to combined 8", "EBUSY");
    },
  });
  const { json } = await callCni({ ...node.host, openEthtool }, { ...config, vlan: 5, queues: 8 });
  expect(json?.["msg"]).toContain("set channels of link 5 to combined 8: EBUSY");
  expect(node.toText()).toBe(before);
});
