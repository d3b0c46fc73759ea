// What the node's administrator allows: limits by the resource that the kubelet tells, never by what a configuration says of itself.

import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

import { writeAdvertisedPools } from "../../../sriov/advertised-pools.ts";
import { formatDeviceInfoName, writeDeviceInfo } from "../../../sriov/device-info.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { parseResourceRules } from "../../../sriov/resource-rules.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };

function makeNode(yaml?: string): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] }, "sriov/fast");
  if (yaml === undefined) return node;
  fs.mkdirSync(dirname(node.host.paths.nodeConfig), { recursive: true });
  fs.writeFileSync(node.host.paths.nodeConfig, yaml);
  return node;
}

async function add(node: FakeHost, more: object, args = ""): Promise<unknown> {
  const before = node.toText();
  const { exitCode, json } = await callCni(
    node.host,
    { ...config, ...more },
    { args: podArgs("web-1") + args },
  );
  if (exitCode === 0) return "given";
  expect(node.toText()).toBe(before);
  expect(node.locks.held.size).toBe(0);
  return `${String(json?.["code"])} ${String(json?.["msg"])}`;
}

const limits = `
limits:
  sriov/fast:
    vlans: [100, 200-299]
    trust: off
    spoofchk: on
  "*": { vlans: [7] }
`;

test.each([
  [{}, "given"],
  [{ vlan: 100, trust: "off", spoofchk: "on" }, "given"],
  [{ vlan: 250 }, "given"],
  [{ vlan: 300 }, "vlan: expected a VLAN that /etc/virtfn/node.yaml allows (100, 200-299), got 300"],
  [{ vlan: 0 }, "vlan: expected a VLAN that /etc/virtfn/node.yaml allows (100, 200-299), got 0"],
  [{ trust: "on" }, 'trust: expected "off", as /etc/virtfn/node.yaml says, got "on"'],
  [{ spoofchk: "off", vlan: 7 }, '2 problems in network "blue": vlan: '],
  // Another name for itself does not help a configuration.
  [{ vlan: 7, resource: "sriov/other" }, "got 7"],
])("a network of a limited resource with %j: %s", async (more, expected) => {
  using node = makeNode(limits);
  expect(await add(node, more)).toContain(expected);
});

/** The device plugin offers the VF as sriov/fast, with these limits of its configuration. */
function limitResource(node: FakeHost, limits: object, name = "sriov/fast"): void {
  const { rules } = parseResourceRules({ limits, tuning: undefined }, "");
  const details = { unhealthy: new Map(), leftOut: new Map(), rules: new Map([[name, rules]]) };
  writeAdvertisedPools(node.host, new Map([[name, ["0000:3b:02.1"]]]), details);
}

const inResource = "the configuration of the resource sriov/fast";

test.each([
  [{}, "given"],
  [{ vlan: 100, trust: "off" }, "given"],
  [{ vlan: 250 }, `vlan: expected a VLAN that ${inResource} allows (100, 300), got 250`],
  [{ vlan: 300 }, "vlan: expected a VLAN that /etc/virtfn/node.yaml allows (100, 200-299), got 300"],
  [{ vlan: 7 }, '2 problems in network "blue": vlan: '],
  // What only one of the two says.
  [{ spoofchk: "off" }, 'spoofchk: expected "on", as /etc/virtfn/node.yaml says, got "off"'],
])("limits of node.yaml and of the resource add up, with %j: %s", async (more, expected) => {
  using node = makeNode(limits);
  limitResource(node, { vlans: [100, 300] });
  expect(await add(node, more)).toContain(expected);
});

test.each([
  [{ trust: "on" }, `trust: expected none: /etc/virtfn/node.yaml allows off, ${inResource} allows on`],
  [{ trust: "off" }, `trust: expected none: /etc/virtfn/node.yaml allows off, ${inResource} allows on`],
  [{ vlan: 100 }, `vlan: expected none: /etc/virtfn/node.yaml allows 100, 200-299, ${inResource} allows 5`],
  [{ spoofchk: "on" }, "given"],
])("limits that contradict each other allow no value, with %j: %s", async (more, expected) => {
  using node = makeNode(limits);
  limitResource(node, { vlans: [5], trust: "on" });
  expect(await add(node, more)).toContain(expected);
});

test("limits of a resource hold without node.yaml, beside *, and chained", async () => {
  using node = makeNode();
  limitResource(node, { vlans: [5], trust: "off" });
  expect(await add(node, { vlan: 6, trust: "on" })).toContain(
    `vlan: expected a VLAN that ${inResource} allows (5)`,
  );
  fs.mkdirSync(dirname(node.host.paths.nodeConfig), { recursive: true });
  fs.writeFileSync(node.host.paths.nodeConfig, 'limits: {"*": {vlans: [6]}}');
  expect(await add(node, { vlan: 5 })).toContain(
    `vlan: expected none: /etc/virtfn/node.yaml allows 6, ${inResource} allows 5`,
  );
  fs.rmSync(node.host.paths.nodeConfig);
  const { deviceID: _none, ...chained } = config;
  const prevResult = { interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }] };
  const networks = [{ resource: "sriov/fast", vlan: 6 }];
  const answer = await callCni(node.host, { ...chained, prevResult, networks }, { ifName: "eth0" });
  expect(answer.json?.["msg"]).toContain(`a VLAN that ${inResource} allows (5), got 6`);
});

test("a VF whose resource was renamed since the kubelet gave it has the limits of the new one, in both places", async () => {
  using node = makeNode("limits: {sriov/quick: {vlans: [5]}}");
  limitResource(node, { trust: "off" }, "sriov/quick");
  const told = await add(node, { vlan: 6, trust: "on" });
  expect(told).toContain("vlan: expected a VLAN that /etc/virtfn/node.yaml allows (5), got 6");
  expect(told).toContain('trust: expected "off", as the configuration of the resource sriov/quick says');
  fs.writeFileSync(node.host.paths.nodeConfig, "limits: {sriov/fast: {vlans: [6]}}");
  expect(await add(node, { vlan: 6, trust: "off" })).toBe("given");
});

test("limits that cannot be read let no VF out", async () => {
  using node = makeNode();
  node.host.files.writeAtomic(
    node.host.paths.pools,
    '{"format": "1.2", "pools": {}, "rules": {"sriov/fast": {"limits": 5}}}',
  );
  expect(await add(node, {})).toContain("ERR_RECORD_CORRUPT");
});

const untold = /^11 ERR_LIMITS_UNKNOWN: .* of sriov\/fast: .*pools\.json/u;
const given = /^given$/u;

test.each([
  [["lock", "socket"], { vlan: 7 }, untold],
  [["lock", "socket"], { vlan: 0 }, untold],
  [["lock", "socket"], { trust: "on" }, untold],
  [["lock", "socket"], { spoofchk: "off" }, untold],
  [["lock", "socket"], { mtu: 1400 }, given],
  [["lock", "socket", "list"], { vlan: 7 }, given],
  // sriov-network-device-plugin's socket has the same name.
  [["socket"], { vlan: 7 }, given],
  [["lock"], { vlan: 7 }, given],
  // All of /run/virtfn was removed, and the device plugin is being started again.
  [["info"], { vlan: 7 }, untold],
  [["info"], { mtu: 1400 }, given],
  [["info", "list"], { vlan: 7 }, given],
  [["socket", "info of others"], { vlan: 7 }, given],
])("of a resource of which there is %j a network with %j: %s", async (there, more, expected) => {
  using node = makeNode();
  const { kubelet, locks } = node.host.paths;
  for (const folder of [kubelet.pluginsRegistry, locks]) fs.mkdirSync(folder, { recursive: true });
  using cleanup = new DisposableStack();
  if (there.includes("list")) limitResource(node, { vlans: [7] });
  if (there.includes("lock")) fs.writeFileSync(join(locks, "deviceplugin"), "");
  if (there.includes("socket")) {
    const server = createServer().listen(join(kubelet.pluginsRegistry, "sriov_fast.sock"));
    cleanup.defer(() => server.close());
    await once(server, "listening");
  }
  const address = parsePciAddress("0000:3b:02.1");
  const vf = readVf(node.host, address);
  if (there.includes("info") && vf !== undefined)
    writeDeviceInfo(node.host, "sriov/fast", vf, { needVhostNet: false, vdpaType: undefined });
  if (there.includes("info of others")) {
    const text = JSON.stringify({ type: "pci", version: "1.1.0", pci: { "pci-address": address } });
    const { deviceInfo } = node.host.paths;
    node.host.files.writeAtomic(`${deviceInfo}/${formatDeviceInfoName("sriov/fast", address)}`, text);
  }
  expect(await add(node, more)).toMatch(expected);
});

test("a VF that the kubelet does not hand out has the limits of *", async () => {
  using node = makeNode(limits);
  fs.rmSync(node.host.paths.kubelet.checkpoint);
  expect(await add(node, { vlan: 100 })).toContain("allows (7), got 100");
  expect(await add(node, { vlan: 7, trust: "on" })).toBe("given");
});

test("chained, each network has the limits of its resource", async () => {
  using node = makeNode(limits);
  const { deviceID: _none, ...chained } = config;
  const prevResult = { interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }] };
  const ask = async (vlan: number): Promise<string> => {
    const networks = [{ resource: "sriov/fast", vlan }];
    const answer = await callCni(node.host, { ...chained, prevResult, networks }, { ifName: "eth0" });
    return JSON.stringify(answer.json?.["msg"] ?? "given");
  };
  expect(await ask(7)).toContain("got 7");
  expect(await ask(100)).toBe('"given"');
});

test.each([
  [undefined, "follow-pod", "given"],
  [undefined, "housekeeping", 'allows to pods (numa-spread, follow-pod, pod-sibling), got "housekeeping"'],
  [undefined, "none", "allows to pods"],
  ["allowedPodPolicies: [none]", "none", "given"],
  ["allowedPodPolicies: [none]", "follow-pod", "allows to pods (none)"],
  ["allowedPodPolicies: []", "follow-pod", "allows to pods (none)"],
])("with node.yaml %j a pod that asks for %s: %s", async (yaml, policy, expected) => {
  using node = makeNode(yaml);
  expect(await add(node, {}, `;IRQ_POLICY=${policy}`)).toContain(expected);
});

test("the policy of the network itself needs no leave, and stands in the record", async () => {
  using node = makeNode();
  expect(await add(node, { tuning: "none" })).toBe("given");
  const record = fs.readFileSync(`${node.host.paths.attachments}/0000:3b:02.1.json`, "utf8");
  expect(JSON.parse(record)).toMatchObject({ tuning: { policy: "none" } });
});

test("what the network asks tuning for besides stands in the record, and pods can't ask", async () => {
  using node = makeNode();
  expect(await add(node, { rfs: true }, ";rfs=true")).toContain("may not be set here");
  expect(await add(node, { rfs: true })).toBe("given");
  const record = fs.readFileSync(`${node.host.paths.attachments}/0000:3b:02.1.json`, "utf8");
  expect(JSON.parse(record)).toMatchObject({ tuning: { rfs: true } });
});

test.each(["limits: [", "limit: {}", "- a", "limits: {sriov/fast: {vlan: [1]}}"])(
  "a node.yaml that is not understood (%j) lets no VF out",
  async (yaml) => {
    using node = makeNode(yaml);
    expect(await add(node, {})).toContain("ERR_NODE_CONFIG");
  },
);

test("DEL does not read it", async () => {
  using node = makeNode();
  const before = node.toText();
  await callCni(node.host, config);
  fs.mkdirSync(dirname(node.host.paths.nodeConfig), { recursive: true });
  fs.writeFileSync(node.host.paths.nodeConfig, "limits: [");
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
