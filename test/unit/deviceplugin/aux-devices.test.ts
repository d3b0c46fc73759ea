// Subfunctions as devices: which a resource selects, what a pod gets of one, and when it cannot be given.
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { allocateDevices } from "../../../deviceplugin/allocation.ts";
import { buildDeviceTree, type OfferedPool } from "../../../deviceplugin/device-tree.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { readCandidates } from "../../../sriov/resource-candidates.ts";
import { parseResourceConfig, type ResourcePool } from "../../../sriov/resource-config.ts";
import { machines } from "../../fixtures/machines.ts";
import { createFakeHost } from "../../support/fake-host.ts";
import { addAuxDevice } from "../../support/fixture-aux.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const pf = "0000:d8:00.0";

function makeTree(): FixtureTree {
  const tree = createFixtureTree(machines.mlx5);
  const { root } = tree;
  addAuxDevice(root, { name: "mlx5_core.sf.9", pf, sfnum: 1, netdev: "enp216s0f0s1", rdma: "mlx5_9" });
  addAuxDevice(root, { name: "mlx5_core.sf.4", pf, sfnum: 88, rdma: "mlx5_8" });
  addAuxDevice(root, { name: "mlx5_core.sf.5", pf, sfnum: 90, netdev: "enp216s0f0s90" });
  return tree;
}

function parsePools(selectors: unknown, more: object = {}): readonly ResourcePool[] {
  const resource = { resourceName: "sf", deviceType: "auxNetDevice", selectors, ...more };
  const text = JSON.stringify({ resourceList: [resource, { resourceName: "vf" }] });
  return parseResourceConfig(text, { path: "config.json", prefix: "sriov" });
}

function offer(tree: FixtureTree, pools: readonly ResourcePool[]): OfferedPool {
  const candidates = readCandidates(tree.host, readInventory(tree.host), pools);
  const offered = buildDeviceTree(candidates, new Map(), pools).resources.get("sriov/sf");
  if (offered === undefined) throw new Error("the configuration has no resource sriov/sf");
  return offered;
}

test.each<[string, unknown, string]>([
  ["the type alone", { auxTypes: ["sf"] }, "9 4 5"],
  ["no selector", undefined, "9 4 5"],
  ["numbers of a PF", { auxTypes: ["sf"], pfNames: ["enp216s0f0np0#1,80-88"] }, "9 4"],
  ["the PF's address", { auxTypes: ["sf"], rootDevices: [`${pf}#90`] }, "5"],
  ["another PF", { auxTypes: ["sf"], pfNames: ["ens1f0"] }, ""],
  ["vendor, device and driver of the PF", { vendors: ["15b3"], drivers: ["mlx5_core"] }, "9 4 5"],
  ["RDMA", { auxTypes: ["sf"], isRdma: true }, "9 4"],
  ["the link type of its own", { auxTypes: ["sf"], linkTypes: ["ether"], isRdma: true }, "9"],
  ["a list", [{ rootDevices: [`${pf}#1`] }, { rootDevices: [`${pf}#90`] }], "9 5"],
])("%s selects %j: %s", (_, selectors, expected) => {
  using tree = makeTree();
  const ids = [...offer(tree, parsePools(selectors)).devices.keys()];
  expect(ids.map((id) => id.replace("mlx5_core.sf.", "")).join(" ")).toBe(expected);
});

test("a subfunction is of its own type, and VFs of theirs", () => {
  using tree = makeTree();
  const pools = parsePools(undefined);
  const candidates = readCandidates(tree.host, readInventory(tree.host), pools);
  const { resources } = buildDeviceTree(candidates, new Map(), pools);
  expect([...resources].map(([name, { devices }]) => `${name} ${devices.size}`)).toEqual([
    "sriov/sf 3",
    "sriov/vf 4",
  ]);
  const [first] = resources.get("sriov/sf")?.devices.values() ?? [];
  expect(first).toMatchObject({ address: "mlx5_core.sf.9", pf, index: 1, numaNode: 1 });
});

test("a pod gets its name, its RDMA device and what the configuration says besides", () => {
  using tree = makeTree();
  const more = { additionalInfo: { "*": { token: "3e49" } } };
  const offered = offer(tree, parsePools({ auxTypes: ["sf"], isRdma: true }, more));
  const { envs, devices } = allocateDevices(tree.host, offered, ["mlx5_core.sf.4"]);
  expect(envs["PCIDEVICE_SRIOV_SF"]).toBe("mlx5_core.sf.4");
  expect(JSON.parse(envs["PCIDEVICE_SRIOV_SF_INFO"] ?? "")).toEqual({
    "mlx5_core.sf.4": {
      generic: { deviceID: "mlx5_core.sf.4" },
      rdma: { rdma_dev: "mlx5_8" },
      extra: { token: "3e49" },
    },
  });
  expect(devices).toEqual([]);
});

test("one that vanished is refused", () => {
  using tree = makeTree();
  const offered = offer(tree, parsePools(undefined));
  fs.rmSync(join(tree.root, "sys/bus/auxiliary/devices/mlx5_core.sf.4"));
  expect(() => allocateDevices(tree.host, offered, ["mlx5_core.sf.4"])).toThrow("the device is gone");
});

test("it is unhealthy while its PF has no link, and the node's own is left out", () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 1, isDown: true }]);
  const own = { pf: "0000:3b:00.0", netdev: "ens1f0v0" };
  addAuxDevice(node.root, { name: "mlx5_core.sf.4", pf: own.pf, sfnum: 4 });
  addAuxDevice(node.root, { name: "mlx5_core.sf.5", sfnum: 5, ...own });
  using netlink = node.host.openNetlink();
  const index = netlink.getLink({ name: own.netdev })?.index ?? 0;
  netlink.addAddress(index, { family: 4, address: "192.0.2.1", prefixLength: 24 });
  const { resources, leftOut } = scanDevices(node.host, parsePools(undefined), new Map());
  const offered = [...(resources.get("sriov/sf")?.devices.values() ?? [])];
  expect(offered.map(({ address, problem }) => `${address}: ${problem?.reason}`)).toEqual([
    "mlx5_core.sf.4: the PF ens1f0 has no link",
  ]);
  expect([...leftOut].map(([id, { reason }]) => `${id}: ${reason}`)).toContain(
    "mlx5_core.sf.5: address 192.0.2.1/24 on ens1f0v0",
  );
});
