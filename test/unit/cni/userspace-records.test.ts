// VFs without a netdev whose record is damaged or lost: nothing on the node but its second copy tells whose they are.

import { expect, test } from "vitest";

import { ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { applyRepair, planRepair } from "../../../sriov/repair.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { createUserspaceNode, userspaceConfig } from "../../support/userspace-node.ts";

const config = {
  ...userspaceConfig,
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};
const bound = { ...config, driver: "vfio-pci" };
/** Another sandbox of the same pod. */
const older = { containerId: "c0", netns: "", command: "DEL" };
const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };
const done = { exitCode: 0, json: undefined };

interface Damage {
  readonly name: string;
  readonly damage: (text: string) => string | undefined;
}
const damages: readonly Damage[] = [
  { name: "empty", damage: () => "" },
  { name: "cut off", damage: (text) => text.slice(0, 40) },
  { name: "of another format", damage: (text) => text.replace(/"format": "[^"]*"/, '"format": "9.0"') },
  { name: "of another format that shares nothing", damage: () => '{"format":"9.0"}' },
];
const lost: Damage = { name: "lost", damage: () => undefined };

function damageRecord({ host }: FakeHost, { damage }: Damage): void {
  const path = `${host.paths.attachments}/${config.deviceID}.json`;
  const text = damage(host.files.readText(path) ?? "");
  if (text === undefined) host.files.remove(path);
  else host.files.writeAtomic(path, text);
}

/** With what udev does to a netdev that came back, and without what was moved aside. */
async function settle(node: FakeHost): Promise<string> {
  await node.clock.advance(1000);
  return node.toText().replaceAll(/\nquarantine .*/g, "");
}

test.each([...damages, lost])(
  "DEL gives a VF back to the driver that ADD took it from: $name",
  async (one) => {
    using node = createUserspaceNode([]);
    const before = node.toText();
    await callCni(node.host, bound);
    damageRecord(node, one);
    expect(await callCni(node.host, bound, { command: "DEL" })).toMatchObject(done);
    expect(await settle(node)).toBe(before);
    expect(await callCni(node.host, bound, { command: "DEL", netns: "" })).toMatchObject(done);
    expect(await settle(node)).toBe(before);
  },
);

test.each([...damages, lost])("DEL leaves a VF with vfio-pci that had it before: $name", async (one) => {
  using node = createUserspaceNode([1]);
  const before = node.toText();
  await callCni(node.host, config);
  damageRecord(node, one);
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(await settle(node)).toBe(before);
});

test.each(damages)("repair gives it back when its pod is gone, and not before: $name", async (one) => {
  using node = createUserspaceNode([]);
  const before = node.toText();
  await callCni(node.host, bound);
  damageRecord(node, one);
  const rule = ofGoneOwners(node.host);
  const judged = planRepair(node.host, rule).map(({ action, holder }) => [action, holder]);
  expect(judged).toEqual([["keep", "pod shop/web-1, container c1 as net1"]]);
  node.removeNetns("web-1");
  await applyRepair(node.host, rule, planRepair(node.host, rule), { lockTimeoutMs: 0 });
  expect(await settle(node)).toBe(before.replace("/run/netns/web-1\n", ""));
});

test.each(damages)("GC gives it back when its pod is not listed: $name", async (one) => {
  using node = createUserspaceNode([]);
  const before = node.toText();
  await callCni(node.host, bound);
  damageRecord(node, one);
  const given = node.toText();
  const { deviceID: _given, ...network } = bound;
  const collect = async (list: readonly object[]): Promise<unknown> =>
    callCni(node.host, { ...network, "cni.dev/valid-attachments": list }, { command: "GC" });
  expect(await collect([{ containerID: "c1", ifname: "net1" }])).toMatchObject(done);
  expect(node.toText()).toBe(given);
  expect(await collect([])).toMatchObject(done);
  expect(await settle(node)).toBe(before);
});

const rows = [...damages, lost].flatMap(({ name, damage }) =>
  [bound, config].map((network) => ({ name, damage, network })),
);

test.each(rows)(
  "a late DEL of an older sandbox of the same pod changes nothing: $name, $network.driver",
  async ({ network, ...one }) => {
    using node = createUserspaceNode(network === bound ? [] : [1]);
    node.allocate("uid-web-1", { app: [config.deviceID] });
    const before = await settle(node);
    await callCni(node.host, network);
    damageRecord(node, one);
    const given = node.toText();
    expect(await callCni(node.host, network, older)).toMatchObject(done);
    expect(node.toText()).toBe(given);
    expect(await callCni(node.host, network, { command: "DEL" })).toMatchObject(done);
    expect(await settle(node)).toBe(before);
  },
);

const empty: Damage = { name: "empty", damage: () => "" };

test.each([empty, lost])(
  "while its pod is alive nobody else gets it, and after that the next pod gets it as it was: $name",
  async (one) => {
    using node = createUserspaceNode([]);
    await callCni(node.host, bound);
    damageRecord(node, one);
    expect((await callCni(node.host, config, second)).json).toMatchObject({ code: 11 });
    node.removeNetns("web-1");
    const { mac: _none, vlan: _too, ...plain } = config;
    expect((await callCni(node.host, plain, second)).json).toMatchObject({
      interfaces: [{ name: "net1", mtu: 1500, pciID: config.deviceID }],
    });
    expect(node.toText()).toContain(
      "ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 0 qos 0 802.1q spoof on trust off",
    );
    expect([...node.ipam.leases]).toHaveLength(1);
  },
);

test("a copy that an earlier owner left does not speak for the one who has the VF now", async () => {
  using node = createUserspaceNode([1]);
  await callCni(node.host, config);
  const path = `${node.host.paths.userspaceCopies}/${config.deviceID}.json`;
  const stale = node.host.files.readText(path) ?? "";
  await callCni(node.host, config, { command: "DEL" });
  expect(node.host.files.readText(path)).toBeUndefined();
  await callCni(node.host, config, second);
  node.host.files.writeAtomic(path, stale);
  damageRecord(node, { name: "of another format", damage: (text) => text.replace(/"1\.\d+"/, '"9.0"') });
  const given = node.toText();
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(given);
});
