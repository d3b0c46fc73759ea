// VFs without a netdev whose record is damaged or lost: nothing on the node but its second copy tells whose they are.

import { expect, test } from "vitest";

import { checkUnused } from "../../../cli/uninstall/node-in-use.ts";
import { ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { applyRepair, planRepair } from "../../../sriov/repair.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { createUserspaceNode, userspaceConfig, vfioAllowed } from "../../support/userspace-node.ts";

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

function damageRecord({ host }: FakeHost, { damage }: Damage, address = config.deviceID): void {
  const path = `${host.paths.attachments}/${address}.json`;
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

test.each([...damages, lost])(
  "repair gives it back when its pod is gone, and not before: $name",
  async (one) => {
    using node = createUserspaceNode([]);
    const before = node.toText();
    await callCni(node.host, bound);
    damageRecord(node, one);
    const rule = ofGoneOwners(node.host, () => undefined);
    const judged = planRepair(node.host, rule).map(({ action, holder }) => [action, holder]);
    expect(judged).toEqual([["keep", "pod shop/web-1, container c1 as net1"]]);
    node.removeNetns("web-1");
    await applyRepair(node.host, rule, planRepair(node.host, rule), { lockTimeoutMs: 0 });
    expect(await settle(node)).toBe(before.replace("/run/netns/web-1\n", ""));
  },
);

test.each([...damages, lost])("GC gives it back when its pod is not listed: $name", async (one) => {
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

test.each([...damages, lost])("a chained DEL without the result of ADD gives it back: $name", async (one) => {
  using node = createUserspaceNode([]);
  node.allocate("uid-web-1", { app: [config.deviceID] });
  const { deviceID: _found, mac: _none, ...network } = bound;
  const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }], ips: [] };
  const before = await settle(node);
  const added = await callCni(node.host, { ...network, prevResult }, { ifName: "eth0" });
  expect(added).toMatchObject({ exitCode: 0 });
  damageRecord(node, one);
  const given = node.toText();
  const call = { command: "DEL", ifName: "eth0", netns: "" };
  expect(await callCni(node.host, network, { ...call, containerId: "c0" })).toMatchObject(done);
  expect(node.toText()).toBe(given);
  expect(await callCni(node.host, network, call)).toMatchObject(done);
  expect(await settle(node)).toBe(before);
});

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

const pciID = (vf: number): object => ({ interfaces: [{ pciID: `0000:3b:02.${vf}` }] });

test.each([empty, lost])("a VF is not picked for another pod while its own is alive: $name", async (one) => {
  using node = createUserspaceNode([0, 1, 2], `pfs: [ens1f0]\n${vfioAllowed}`);
  for (const name of ["web-3", "web-4"]) node.addNetns(name);
  const network = { cniVersion: "1.1.0", name: "lan", type: "virtfn", pf: "ens1f0", driver: "vfio-pci" };
  const pick = (pod: number): Promise<TestAnswer> =>
    callCni(node.host, network, {
      containerId: `c${pod}`,
      netns: `/run/netns/web-${pod}`,
      args: podArgs(`web-${pod}`),
    });
  expect((await pick(1)).json).toMatchObject(pciID(0));
  damageRecord(node, one, "0000:3b:02.0");
  expect((await pick(2)).json).toMatchObject(pciID(1));
  expect((await pick(3)).json).toMatchObject(pciID(2));
  expect((await pick(4)).json).toMatchObject({
    code: 11,
    msg: expect.stringMatching(
      /no VF of ens1f0 is free .*02\.0: its namespace \/run\/netns\/web-1 exists/,
    ) as string,
  });
  node.removeNetns("web-1");
  expect((await pick(4)).json).toMatchObject(pciID(0));
});

test("virtfn is not taken off a node while a pod has a VF whose record is lost", async () => {
  using node = createUserspaceNode([1]);
  await callCni(node.host, config);
  damageRecord(node, lost);
  expect(() => checkUnused(node.host)).toThrow(/a VF is in use by somebody .*userspace\/0000:3b:02\.1\.json/);
});

test("with the record lost and a copy that tells nothing, others wait for the pod's own DEL, which resets the VF", async () => {
  using node = createUserspaceNode([1]);
  await callCni(node.host, { ...config, trust: "on" });
  damageRecord(node, lost);
  const copy = `${node.host.paths.userspaceCopies}/${config.deviceID}.json`;
  node.host.files.writeAtomic(copy, "");
  const given = node.toText();
  expect((await callCni(node.host, config, second)).json).toMatchObject({
    code: 11,
    msg: expect.stringMatching(/whose it is cannot be told: .*userspace\/0000:3b:02\.1\.json/) as string,
  });
  const judged = planRepair(
    node.host,
    ofGoneOwners(node.host, () => undefined),
  ).map(({ action, holder }) => [action, holder]);
  expect(judged).toEqual([["keep", "unknown"]]);
  expect(node.toText()).toBe(given);
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toContain("ens1f0 vf 1 mac 00:00:00:00:00:00 vlan 0 qos 0 802.1q spoof on trust off");
  expect(node.toText()).not.toMatch(/userspace 0000|lease/);
});

const plain = { ...config, ipam: undefined };
const ends: Readonly<Record<string, (node: FakeHost) => Promise<unknown>>> = {
  DEL: ({ host }) => callCni(host, bound, { command: "DEL", netns: "" }),
  repair: ({ host }) =>
    applyRepair(
      host,
      ofGoneOwners(host, () => undefined),
      planRepair(
        host,
        ofGoneOwners(host, () => undefined),
      ),
      { lockTimeoutMs: 0 },
    ),
  "the next pod's ADD and DEL": async ({ host }) => [
    await callCni(host, plain, second),
    await callCni(host, plain, { ...second, command: "DEL" }),
  ],
};

test.each(Object.entries(ends))(
  "with the record lost and the copy of another format, %s gives the VF to its driver and its address back",
  async (_, end) => {
    using node = createUserspaceNode([]);
    await callCni(node.host, bound);
    damageRecord(node, lost);
    const copy = `${node.host.paths.userspaceCopies}/${config.deviceID}.json`;
    const text = node.host.files.readText(copy) ?? "";
    node.host.files.writeAtomic(copy, text.replace(/"format": "[^"]*"/, '"format": "9.0"'));
    expect((await callCni(node.host, config, second)).json).toMatchObject({ code: 11 });
    node.removeNetns("web-1");
    await end(node);
    expect(await settle(node)).toMatch(/\n {2}ens1f0v1 0000:3b:02\.1 /);
    expect(node.toText()).not.toMatch(/driver vfio-pci|userspace 0000|attachments 0000|lease/);
  },
);
