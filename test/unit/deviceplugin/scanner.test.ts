// A look at a node whose VF ADD gave to vfio-pci: it stays what it was offered as until DEL.
import { expect, test } from "vitest";

import { knowDevices, type KnownDevices } from "../../../deviceplugin/known-devices.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import { bindDriver } from "../../../sriov/driver.ts";
import { readAttachment, writeAttachment } from "../../../sriov/attachment-store.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { defaultResources, parseResourceConfig } from "../../../sriov/resource-config.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const vf = parsePciAddress("0000:3b:02.1");
const config = { cniVersion: "1.1.0", name: "fast", type: "virtfn", deviceID: vf, driver: "vfio-pci" };

async function addWithVfio(): Promise<FakeHost> {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  node.allocate("uid-web-1", { app: [vf] });
  node.host.files.writeAtomic(node.host.paths.nodeConfig, 'limits: { "*": { driver: vfio-pci } }\n');
  expect((await callCni(node.host, config)).exitCode).toBe(0);
  return node;
}

function look(node: FakeHost, before: KnownDevices = new Map()): ReturnType<typeof scanDevices> {
  return scanDevices(node.host, defaultResources("sriov"), before);
}

function deviceOf(tree: ReturnType<typeof scanDevices>): string {
  const device = tree.resources.get("sriov/vf")?.devices.get(vf);
  return `${device?.driver} ${device?.problem?.reason ?? "healthy"}`;
}

test("it stays in its resource, healthy, also for a plugin that never saw it free, until DEL and after", async () => {
  using node = await addWithVfio();
  const first = look(node);
  expect(deviceOf(first)).toBe("igbvf healthy");
  expect(deviceOf(look(node, knowDevices(first)))).toBe("igbvf healthy");
  expect((await callCni(node.host, config, { command: "DEL" })).exitCode).toBe(0);
  expect(deviceOf(look(node, knowDevices(first)))).toBe("igbvf healthy");
});

test("it stays in the resource that selects it by the driver it has when it is free", async () => {
  using node = await addWithVfio();
  const text = '{"resourceList": [{"resourceName": "net", "selectors": {"drivers": ["igbvf"]}}]}';
  const pools = parseResourceConfig(text, { path: "config.json", prefix: "sriov" });
  const { resources } = scanDevices(node.host, pools, new Map());
  expect([...(resources.get("sriov/net")?.devices.keys() ?? [])]).toContain(vf);
});

test("ADD and DEL on their way make it neither unhealthy nor another device", async () => {
  using node = await addWithVfio();
  const known = knowDevices(look(node));
  bindDriver(node.host, vf, { driver: "igbvf", override: "" });
  expect(deviceOf(look(node, known))).toBe("igbvf healthy");
  const record = readAttachment(node.host, vf);
  if (record === undefined) throw new Error("ADD left no record");
  writeAttachment(node.host, { ...record, state: "adding" });
  bindDriver(node.host, vf, { driver: undefined, override: "vfio-pci" });
  expect(deviceOf(look(node, known))).toBe("igbvf healthy");
});

test("a third driver in a pod's hands is told", async () => {
  using node = await addWithVfio();
  bindDriver(node.host, vf, { driver: undefined, override: "" });
  expect(deviceOf(look(node))).toBe("igbvf expected the driver vfio-pci, got none");
});
