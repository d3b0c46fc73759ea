// A VF changes its driver and gets the one before back; what does not work changes nothing.

import * as fs from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import {
  bindDriver,
  findDriverObstacle,
  planDriver,
  planDriverKind,
  readDriverState,
} from "../../../sriov/driver.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const address = parsePciAddress("0000:3b:02.1");
const vfio = { driver: "vfio-pci", override: "vfio-pci" };
const kernel = { driver: "igbvf", override: "" };

test("the driver is told first, then the device is taken from one and offered to the other", () => {
  expect(planDriver(kernel, vfio)).toEqual([
    { do: "override", driver: "vfio-pci" },
    { do: "unbind", driver: "igbvf" },
    { do: "probe" },
  ]);
});

test("from every state to every other, and then there is nothing to do", () => {
  const state = fc.record({
    driver: fc.constantFrom(undefined, "igbvf", "vfio-pci"),
    override: fc.constantFrom<string>("", "vfio-pci"),
  });
  fc.assert(
    fc.property(state, state, (from, to) => {
      let { driver, override } = from;
      for (const step of planDriver(from, to)) {
        if (step.do === "override") override = step.driver;
        else driver = step.do === "unbind" ? undefined : to.driver;
      }
      const now = { driver, override };
      expect(now).toEqual(to);
      expect(planDriver(now, to)).toEqual([]);
    }),
  );
});

test("a driver of the kernel is whichever takes the device, and is left alone", () => {
  expect(planDriverKind(vfio, "kernel")).toEqual([
    { do: "override", driver: "" },
    { do: "unbind", driver: "vfio-pci" },
    { do: "probe" },
  ]);
  expect(planDriverKind({ driver: undefined, override: "" }, "kernel")).toEqual([{ do: "probe" }]);
  expect(planDriverKind({ driver: "igbvf", override: "vfio-pci" }, "kernel")).toEqual([
    { do: "override", driver: "" },
  ]);
  expect(planDriverKind({ driver: "igbvf", override: "igbvf" }, "kernel")).toEqual([]);
  expect(planDriverKind(kernel, "vfio-pci")).toEqual(planDriver(kernel, vfio));
});

test("the netdev goes with its driver, and comes back under the name that udev gives", async () => {
  using node = createFakeHost();
  const before = readDriverState(node.host, address);
  expect(before).toEqual(kernel);
  bindDriver(node.host, address, vfio);
  expect(readDriverState(node.host, address)).toEqual(vfio);
  expect(readVf(node.host, address)?.netdevs).toEqual([]);
  expect(node.toText()).toContain("0000:3b:02.1 driver vfio-pci override vfio-pci");
  bindDriver(node.host, address, before);
  expect(readVf(node.host, address)).toMatchObject({
    driver: "igbvf",
    netdevs: [expect.stringMatching(/^eth/)],
  });
  await node.clock.advance(200);
  expect(readVf(node.host, address)?.netdevs).toEqual(["ens1f0v1"]);
});

test("a driver that does not take it is told, and the one before has it again", () => {
  using node = createFakeHost();
  fs.rmSync(`${node.root}/sys/bus/pci/devices/${address}/iommu_group`);
  expect(() => bindDriver(node.host, address, vfio)).toThrow(
    "giving 0000:3b:02.1 to the driver vfio-pci: expected the driver to take it, got none",
  );
  expect(readDriverState(node.host, address)).toEqual(kernel);
});

test("what stands in the way is told before anything is changed", () => {
  using node = createFakeHost();
  expect(findDriverObstacle(node.host, { address, iommuGroup: 11 }, "vfio-pci")).toBeUndefined();
  expect(findDriverObstacle(node.host, { address, iommuGroup: undefined }, "vfio-pci")).toContain(
    "IOMMU is off",
  );
  expect(findDriverObstacle(node.host, { address, iommuGroup: 11 }, "uio_pci_generic")).toBe(
    "the driver uio_pci_generic is not loaded (modprobe uio_pci_generic)",
  );
});
