// The answer to Allocate on fixture machines: what is given, and the three reasons to refuse.
import { expect, test } from "vitest";

import { allocateDevices } from "../../../deviceplugin/allocation.ts";
import { readCandidates } from "../../../sriov/resource-candidates.ts";
import { buildDeviceTree, type DeviceList } from "../../../deviceplugin/device-tree.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { defaultResources, parseResourceConfig } from "../../../sriov/resource-config.ts";
import { machines } from "../../fixtures/machines.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const resource = "sriov/vf";

test("two VFs are given by their addresses, with no device node and no mount", () => {
  using tree = createFixtureTree(machines.igb);
  expect(allocate(tree, offer(tree), ["0000:01:10.0", "0000:01:10.2"])).toMatchObject({
    envs: { PCIDEVICE_SRIOV_VF: "0000:01:10.0,0000:01:10.2" },
    mounts: [],
    devices: [],
    cdiDevices: [],
  });
});

test("a VF whose netdev is still inside a dying pod is given: the CNI waits for it", () => {
  using tree = createFixtureTree(machines.away);
  expect(() => allocate(tree, offer(tree), ["0000:01:10.2"])).not.toThrow();
});

test.each(["0000:99:10.0", "nonsense", ""])("a device that was never offered (%j) is refused", (id) => {
  using tree = createFixtureTree(machines.igb);
  expect(() => allocate(tree, offer(tree), [id])).toThrow(
    `allocating ${id} of sriov/vf: no such device is offered`,
  );
});

test("a device that vanished since the scan is refused", () => {
  using tree = createFixtureTree(machines.igb);
  const devices = offer(tree);
  tree.setNumVfs("0000:01:00.0", 0);
  expect(() => allocate(tree, devices, ["0000:01:10.0"])).toThrow("the device is gone from the PCI bus");
});

test.each([
  ["vfio-pci", "expected the driver igbvf, got vfio-pci"],
  [undefined, "expected the driver igbvf, got none"],
])("a device that has the driver %s now is refused", (driver, message) => {
  using tree = createFixtureTree(machines.igb);
  const devices = offer(tree);
  tree.setDriver("0000:01:10.0", driver);
  expect(() => allocate(tree, devices, ["0000:01:10.0"])).toThrow(message);
});

test("a device that was offered with vfio-pci and has a driver of the kernel now is refused", () => {
  using tree = createFixtureTree(machines.igb);
  tree.setDriver("0000:01:10.0", "vfio-pci");
  const text = '{"resourceList": [{"resourceName": "vf", "selectors": {"drivers": ["vfio-pci"]}}]}';
  const devices = offer(tree, parseResourceConfig(text, { path: "config.json", prefix: "sriov" }));
  tree.setDriver("0000:01:10.0", "igbvf");
  expect(() => allocate(tree, devices, ["0000:01:10.0"])).toThrow("expected the driver vfio-pci, got igbvf");
});

test("one whose resource has ADD give it to vfio-pci is given with a driver of the kernel, also where it was seen with vfio-pci last", () => {
  using tree = createFixtureTree(machines.igb);
  tree.setDriver("0000:01:10.0", "vfio-pci");
  const text = '{"resourceList": [{"resourceName": "vf", "driver": "vfio-pci"}]}';
  const pools = parseResourceConfig(text, { path: "config.json", prefix: "sriov" });
  const devices = offer(tree, pools);
  tree.setDriver("0000:01:10.0", "igbvf");
  expect(() => allocate(tree, devices, ["0000:01:10.0"], pools)).not.toThrow();
});

function offer(tree: FixtureTree, pools = defaultResources("sriov")): DeviceList {
  const candidates = readCandidates(tree.host, readInventory(tree.host), pools);
  return buildDeviceTree(candidates, new Map(), pools).resources.get(resource)?.devices ?? new Map();
}

function allocate(
  tree: FixtureTree,
  devices: DeviceList,
  ids: readonly string[],
  [pool] = defaultResources("sriov"),
): object {
  if (pool === undefined) throw new Error("there is no default resource");
  return allocateDevices(tree.host, { pool, devices }, ids);
}
