// Configurations over one machine that has something for every selector: which devices each resource gets.
import { describe, expect, test } from "vitest";

import { readCandidates } from "../../../sriov/resource-candidates.ts";
import { buildDeviceTree, type DeviceTree } from "../../../deviceplugin/device-tree.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import type { PciAddress } from "../../../sriov/pci-address.ts";
import { parseResourceConfig } from "../../../sriov/resource-config.ts";
import { type Machine, machines, type PfShape } from "../../fixtures/machines.ts";
import { deviceFolder } from "../../support/fixture-devices.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const [i40e] = machines.i40e.pfs;
const second: PfShape = {
  ...i40e,
  address: "0000:3b:00.1",
  netdev: "ens3f1",
  vf: { ...i40e.vf, offset: 80 },
  exceptions: { 0: { driver: "vfio-pci" }, 1: { driver: "vfio-pci" }, 2: { driver: undefined } },
};
const accelerator: PfShape = {
  ...i40e,
  address: "0000:f7:00.0",
  driver: "pci-pf-stub",
  vendor: "8086",
  device: "0d5c",
  class: "0x120001",
  netdev: "none0",
  numVfs: 2,
  vf: { ...i40e.vf, driver: "vfio-pci", device: "0d5d" },
};

/** i40e a0..a3 (iavf) and b0..b3 (two vfio-pci, one without driver, one iavf), mlx5 m0..m3, an accelerator f0, f1. */
const machine: Machine = {
  cpus: machines.i40e.cpus,
  pfs: [i40e, second, machines.mlx5.pfs[0], accelerator],
};

const names: Readonly<Record<string, string>> = {
  "0000:3b:02.0": "a0",
  "0000:3b:02.1": "a1",
  "0000:3b:02.2": "a2",
  "0000:3b:02.3": "a3",
  "0000:3b:0a.1": "b0",
  "0000:3b:0a.2": "b1",
  "0000:3b:0a.3": "b2",
  "0000:3b:0a.4": "b3",
  "0000:d8:00.2": "m0",
  "0000:d8:00.3": "m1",
  "0000:d8:00.4": "m2",
  "0000:d8:00.5": "m3",
  "0000:f7:02.0": "f0",
  "0000:f7:02.1": "f1",
};

describe.each<[string, string, string]>([
  ["every network VF with a driver", "{}", "a0 a1 a2 a3 b0 b1 b3 m0 m1 m2 m3"],
  ["vendor", '{"vendors": ["15b3"]}', "m0 m1 m2 m3"],
  ["device id", '{"devices": ["154c"]}', "a0 a1 a2 a3 b0 b1 b3"],
  ["kernel driver", '{"drivers": ["iavf"]}', "a0 a1 a2 a3 b3"],
  ["two drivers", '{"drivers": ["vfio-pci", "mlx5_core"]}', "b0 b1 m0 m1 m2 m3"],
  ["address", '{"pciAddresses": ["0000:3b:02.2", "0000:3b:0a.2"]}', "a2 b1"],
  ["ACPI index", '{"acpiIndexes": ["7"]}', "a1"],
  ["PF name", '{"pfNames": ["ens3f1"]}', "b0 b1 b3"],
  ["VFs of a PF", '{"pfNames": ["ens3f0#1,3", "ens3f1#0-1"]}', "a1 a3 b0 b1"],
  ["PF address", '{"rootDevices": ["0000:d8:00.0#1-2"]}', "m1 m2"],
  ["link type ether", '{"linkTypes": ["ether"]}', "a0 a1 a2 a3 b0 b1 b3"],
  ["link type infiniband", '{"linkTypes": ["infiniband"]}', "m0 m1 m2 m3"],
  ["RDMA", '{"isRdma": true}', "m0 m1"],
  ["partition key", '{"pKeys": ["0x8002"]}', "m1"],
  ["DDP profile", '{"ddpProfiles": ["GTPv1-C/U IPv4/IPv6 payload"]}', "a0 a1 a2 a3"],
  ["DDP profile of a VF's own", '{"ddpProfiles": ["PPPoE", "L2TP"]}', "b3"],
  ["vhost vDPA", '{"vdpaType": "vhost"}', "m2"],
  ["virtio vDPA", '{"vdpaType": "virtio"}', "m3"],
  ["vhost-net", '{"needVhostNet": true, "drivers": ["vfio-pci"]}', "b0 b1"],
  ["all lists at once", '{"vendors": ["8086"], "drivers": ["iavf"], "pfNames": ["ens3f0#0-2"]}', "a0 a1 a2"],
  ["nothing that is there", '{"vendors": ["1af4"]}', ""],
  ["a list of selectors", '[{"pfNames": ["ens3f0#0"]}, {"vendors": ["15b3"], "isRdma": true}]', "a0 m0 m1"],
])("%s", (_, selectors, expected) => {
  test(`gives ${expected === "" ? "nothing" : expected}`, () => {
    const { resources } = scan(`{"resourceList": [{"resourceName": "x", "selectors": ${selectors}}]}`);
    expect(devicesOf(resources, "sriov/x")).toBe(expected);
  });
});

test("an accelerator is of its own type, and of no other", () => {
  const { resources } = scan('{"resourceList": [{"resourceName": "x", "deviceType": "accelerator"}]}');
  expect(devicesOf(resources, "sriov/x")).toBe("f0 f1");
});

test("a device that two resources select belongs to the first, and the clash is told", () => {
  const tree = scan(
    `{"resourceList": [
      {"resourceName": "dpdk", "resourcePrefix": "intel.com", "selectors": {"drivers": ["vfio-pci"]}},
      {"resourceName": "front", "selectors": {"pfNames": ["ens3f0#0-1", "ens3f1#0"]}},
      {"resourceName": "rest", "selectors": {"vendors": ["8086"]}}
    ]}`,
  );
  expect([...tree.resources.keys()].map((name) => `${name}: ${devicesOf(tree.resources, name)}`)).toEqual([
    "intel.com/dpdk: b0 b1",
    "sriov/front: a0 a1",
    "sriov/rest: a2 a3 b3",
  ]);
  expect(Object.fromEntries([...tree.clashes].map(([id, all]) => [names[id], all.join(" ")]))).toEqual({
    a0: "sriov/front sriov/rest",
    a1: "sriov/front sriov/rest",
    b0: "intel.com/dpdk sriov/front sriov/rest",
    b1: "intel.com/dpdk sriov/rest",
  });
});

test("what is left out is told with the reason", () => {
  const nodeUse = new Map([["0000:3b:02.0" as PciAddress, "default route through bond0"]]);
  const { leftOut } = scan(
    '{"resourceList": [{"resourceName": "x", "selectors": {"pfNames": ["ens3f0"]}}]}',
    nodeUse,
  );
  expect(
    Object.fromEntries([...leftOut].map(([id, { code, reason }]) => [names[id], `${code}: ${reason}`])),
  ).toMatchObject({
    a0: "node-use: default route through bond0",
    b0: "no-resource: no resource selects it",
    b2: "no-driver: no driver",
    f0: "no-resource: no resource selects it",
  });
});

test("of a list the first selector that fits decides what a device comes with", () => {
  const { resources } = scan(
    `{"resourceList": [{"resourceName": "x", "selectors":
      [{"pfNames": ["ens3f0#0"], "needVhostNet": true}, {"vendors": ["8086"]}, {"isRdma": true}]}]}`,
  );
  const comesWith = [...(resources.get("sriov/x")?.devices.values() ?? [])].map(
    ({ address, selector }) =>
      `${names[address]}${selector.needVhostNet ? "+vhost" : ""}${selector.isRdma ? "+rdma" : ""}`,
  );
  expect(comesWith.join(" ")).toBe("a0+vhost a1 a2 a3 b0 b1 b3 m0+rdma m1+rdma");
});

test("excludeTopology hides the NUMA node", () => {
  const { resources } = scan(
    '{"resourceList": [{"resourceName": "x", "excludeTopology": true, "selectors": {"pfNames": ["ens3f0"]}}]}',
  );
  expect([...(resources.get("sriov/x")?.devices.values() ?? [])].map(({ numaNode }) => numaNode)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a VF inside a pod has the link type of its PF", () => {
  const text =
    '{"resourceList": [{"resourceName": "x", "selectors": {"linkTypes": ["ether"], "pfNames": ["ens3f0"]}}]}';
  const { resources } = scan(text, new Map(), (tree) => tree.moveAway("0000:3b:02.1"));
  expect(devicesOf(resources, "sriov/x")).toBe("a0 a1 a2 a3");
});

function scan(
  config: string,
  nodeUse: ReadonlyMap<PciAddress, string> = new Map(),
  change: (tree: FixtureTree) => void = () => {},
): DeviceTree {
  using tree = createFixtureTree(machine);
  writeSpecialties(tree);
  tree.versions.set("0000:3b:00.0", new Map([["fw.app.name", "GTPv1-C/U IPv4/IPv6 payload"]]));
  tree.versions.set("0000:3b:0a.4", new Map([["fw.app.name", "PPPoE"]]));
  change(tree);
  const pools = parseResourceConfig(config, { path: "config.json", prefix: "sriov" });
  const candidates = readCandidates(tree.host, readInventory(tree.host), pools);
  return buildDeviceTree(candidates, nodeUse, pools);
}

/** What some drivers and some machines have, and only a selector asks for. */
function writeSpecialties({ root }: FixtureTree): void {
  const [m0, m1, m2, m3] = [2, 3, 4, 5].map((fn) => deviceFolder(`0000:d8:00.${fn}`));
  writeFolder(root, {
    [`${deviceFolder("0000:3b:02.1")}/acpi_index`]: "7",
    "sys/class/net/ens3f0/type": "1",
    "sys/class/net/ens3f1/type": "1",
    ...Object.fromEntries([0, 1, 2, 3].map((vf) => [`sys/class/net/ens3f0v${vf}/type`, "1"])),
    "sys/class/net/ens3f1v3/type": "1",
    "sys/class/net/enp216s0f0np0/type": "32",
    ...Object.fromEntries([0, 1, 2, 3].map((vf) => [`sys/class/net/enp216s0f0v${vf}/type`, "32"])),
    [`${m0}/infiniband/mlx5_2/ports/1/pkeys/0`]: "0x8001",
    [`${m1}/infiniband/mlx5_3/ports/1/pkeys/0`]: "0x8002",
    [`${m2}/vdpa0/driver`]: { to: "sys/bus/vdpa/drivers/vhost_vdpa" },
    [`${m3}/vdpa1/driver`]: { to: "sys/bus/vdpa/drivers/virtio_vdpa" },
  });
}

function devicesOf(resources: DeviceTree["resources"], name: string): string {
  return [...(resources.get(name)?.devices.keys() ?? [])].map((id) => names[id] ?? id).join(" ");
}
