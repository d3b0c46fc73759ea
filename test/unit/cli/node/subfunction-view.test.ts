// Whose a subfunction is: by the kubelet alone, for nothing of virtfn attaches it.

import { expect, test } from "vitest";

import { viewSubfunctions } from "../../../../cli/node/subfunction-view.ts";
import { parseAdvertisement } from "../../../../sriov/advertised-pools.ts";
import { readAuxDevices } from "../../../../sriov/aux-device.ts";
import { readInventory } from "../../../../sriov/inventory.ts";
import { addAuxDevice } from "../../../support/fixture-aux.ts";
import { createFakeHost } from "../../../support/fake-host.ts";

const [name, other] = ["mlx5_core.sf.4", "mlx5_core.sf.5"];
const resource = "sriov/sf";

function podWith(of: string, id: string) {
  return {
    namespace: "shop",
    name: `has-${id}`,
    containers: [{ name: "app", cpus: [], devices: new Map([[of, [id]]]) }],
  };
}

test("its pod is the one that the kubelet names for this resource; its PF, number and MAC are told", () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 1 }]);
  const pf = "0000:3b:00.0";
  addAuxDevice(node.root, { name, pf, sfnum: 88, netdev: "ens1f0v0" });
  addAuxDevice(node.root, { name: other, pf, sfnum: 89 });
  using netlink = node.host.openNetlink();
  const advertised = parseAdvertisement(
    JSON.stringify({ format: "1.1", pools: { [resource]: [name, other] } }),
    "pools.json",
  );
  const views = viewSubfunctions({
    auxDevices: readAuxDevices(node.host),
    advertised,
    inventory: readInventory(node.host),
    links: netlink.listLinks(),
    pods: [podWith("sriov/vf", other), podWith(resource, name)],
  });
  expect(views.map(({ pod }) => pod?.name)).toEqual([`has-${name}`, undefined]);
  expect(views[0]).toMatchObject({
    name,
    pfInterface: "ens1f0",
    index: 88,
    interface: "ens1f0v0",
    mac: "02:00:00:00:00:00",
    numaNode: 0,
  });
});
