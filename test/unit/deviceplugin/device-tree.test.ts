// What is offered of each machine, and why the rest is left out.
import { expect, test } from "vitest";

import { readCandidates } from "../../../sriov/resource-candidates.ts";
import { buildDeviceTree } from "../../../deviceplugin/device-tree.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import type { PciAddress } from "../../../sriov/pci-address.ts";
import { defaultResources } from "../../../sriov/resource-config.ts";
import { type Machine, machines } from "../../fixtures/machines.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";

test("every VF with a network driver is offered, in PCI order, with the PF's NUMA node", () => {
  expect(tell(machines.igb)).toMatchInlineSnapshot(`
    "sriov/vf 0000:01:10.0 of 0000:01:00.0 igbvf node 0
    sriov/vf 0000:01:10.2 of 0000:01:00.0 igbvf node 0
    sriov/vf 0000:01:10.4 of 0000:01:00.0 igbvf node 0
    sriov/vf 0000:01:10.6 of 0000:01:00.0 igbvf node 0
    sriov/vf 0000:01:11.0 of 0000:01:00.0 igbvf node 0
    sriov/vf 0000:01:11.2 of 0000:01:00.0 igbvf node 0
    sriov/vf 0000:01:11.4 of 0000:01:00.0 igbvf node 0"
  `);
});

test("a VF inside a pod stays in the list", () => {
  expect(tell(machines.away)).toBe(tell(machines.igb));
});

test("VFs of userspace drivers and of none are left out with the reason", () => {
  expect(tell(machines.vfio)).toMatchInlineSnapshot(`
    "sriov/vf 0000:b1:01.2 of 0000:b1:00.0 iavf node 1
    sriov/vf 0000:b1:01.3 of 0000:b1:00.0 iavf node 1
    0000:b1:01.0 left out: not a network driver: vfio-pci
    0000:b1:01.1 left out: no driver"
  `);
});

test("a VF that the node lives on is left out with the reason", () => {
  const nodeUse = new Map([["0000:01:10.0" as PciAddress, "default route through bond0"]]);
  expect(tell(machines.igb, nodeUse).split("\n").at(-1)).toBe(
    "0000:01:10.0 left out: default route through bond0",
  );
});

test("without VFs the resource is there and empty", () => {
  const tree = buildDeviceTree([], new Map(), defaultResources("sriov"));
  expect(tree.resources.get("sriov/vf")?.devices.size).toBe(0);
});

function tell(machine: Machine, nodeUse: ReadonlyMap<PciAddress, string> = new Map()): string {
  using tree = createFixtureTree(machine);
  const pools = defaultResources("sriov");
  const candidates = readCandidates(tree.host, readInventory(tree.host), pools);
  const { resources, leftOut } = buildDeviceTree(candidates, nodeUse, pools);
  const offered = [...resources].flatMap(([name, { devices }]) =>
    [...devices.values()].map(
      ({ address, pf, driver, numaNode }) => `${name} ${address} of ${pf} ${driver} node ${numaNode}`,
    ),
  );
  return [...offered, ...[...leftOut].map(([address, { reason }]) => `${address} left out: ${reason}`)].join(
    "\n",
  );
}
