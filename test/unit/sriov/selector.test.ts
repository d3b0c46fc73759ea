// What each selector takes and leaves, over one device.

import { expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { parsePfSelector, readSelectors } from "../../../sriov/selector-config.ts";
import { findSelector, type SelectableDevice } from "../../../sriov/selector.ts";

const device: SelectableDevice = {
  address: parsePciAddress("0000:3b:02.1"),
  pf: parsePciAddress("0000:3b:00.0"),
  pfNames: ["ens3f0"],
  index: 3,
  vendor: "8086",
  device: "154c",
  driver: "iavf",
  facts: {
    acpiIndex: "101",
    linkType: "ether",
    ddpProfile: "GTPv1-C/U IPv4/IPv6 payload",
    pKeys: [0x8001],
    isRdma: true,
    vdpaType: undefined,
    auxType: "sf",
  },
};

test.each<[string, object, boolean]>([
  ["nothing", {}, true],
  ["its vendor", { vendors: ["15b3", "8086"] }, true],
  ["another vendor", { vendors: ["15b3"] }, false],
  ["an empty list", { vendors: [] }, true],
  ["its device id in upper case", { devices: ["154C"] }, true],
  ["another device id", { devices: ["10ed"] }, false],
  ["its driver", { drivers: ["vfio-pci", "iavf"] }, true],
  ["another driver", { drivers: ["vfio-pci"] }, false],
  ["its address", { pciAddresses: ["0000:3b:02.1"] }, true],
  ["its address in short", { pciAddresses: ["3b:02.1"] }, true],
  ["another address", { pciAddresses: ["0000:3b:02.2"] }, false],
  ["its ACPI index", { acpiIndexes: ["101"] }, true],
  ["another ACPI index", { acpiIndexes: ["10"] }, false],
  ["its PF's name", { pfNames: ["ens3f0"] }, true],
  ["its PF's name in upper case", { pfNames: ["ENS3F0"] }, true],
  ["the beginning of its PF's name", { pfNames: ["ens3f"] }, false],
  ["an index of its PF", { pfNames: ["ens3f0#3"] }, true],
  ["a range of its PF", { pfNames: ["ens3f0#0,2-7"] }, true],
  ["the ends of a range", { pfNames: ["ens3f0#3-3"] }, true],
  ["a range beside it", { pfNames: ["ens3f0#0-2,4-7"] }, false],
  ["its PF in two parts", { pfNames: ["ens3f0#0-1", "ens3f0#3"] }, true],
  ["a range of another PF", { pfNames: ["ens3f1#3"] }, false],
  ["its PF's address", { rootDevices: ["0000:3b:00.0"] }, true],
  ["a range of its PF's address", { rootDevices: ["0000:3b:00.0#3-5"] }, true],
  ["another range of its PF's address", { rootDevices: ["0000:3b:00.0#4-5,9"] }, false],
  ["its link type", { linkTypes: ["ether"] }, true],
  ["another link type", { linkTypes: ["infiniband"] }, false],
  ["its DDP profile", { ddpProfiles: ["GTPv1-C/U IPv4/IPv6 payload"] }, true],
  ["another DDP profile", { ddpProfiles: ["PPPoE"] }, false],
  ["its partition key, written otherwise", { pKeys: ["0x8001"] }, true],
  ["another partition key", { pKeys: ["0x8002"] }, false],
  ["RDMA", { isRdma: true }, true],
  ["no word about RDMA", { isRdma: false }, true],
  ["vDPA, which it is not", { vdpaType: "vhost" }, false],
  ["vhost-net", { needVhostNet: true }, true],
  ["two things that fit", { vendors: ["8086"], drivers: ["iavf"] }, true],
  ["two things, one of which does not fit", { vendors: ["8086"], drivers: ["vfio-pci"] }, false],
  ["keys as Go prints them", { IsRdma: true, NeedVhostNet: false, PFNames: ["ens3f0"] }, true],
])("a selector with %s", (_, selector, isFit) => {
  const { selectors, problems } = readSelectors("netDevice", selector, "selectors");
  expect(problems).toEqual([]);
  expect(findSelector(selectors, device) !== undefined).toBe(isFit);
});

test("the type of an auxiliary device is asked of those alone", () => {
  expect(
    findSelector(readSelectors("auxNetDevice", { auxTypes: ["sf"] }, "").selectors, device),
  ).toBeDefined();
  const { problems } = readSelectors("auxNetDevice", { auxTypes: ["eth"] }, "selectors");
  expect(problems).toEqual(['selectors.auxTypes.0: expected "sf", got "eth"']);
});

test("of a list the first that fits counts", () => {
  const list = [{ vendors: ["15b3"] }, { drivers: ["iavf"], needVhostNet: true }, { isRdma: true }];
  const { selectors } = readSelectors("netDevice", list, "selectors");
  expect(findSelector(selectors, device)).toBe(selectors[1]);
});

test.each(["", "#1", "a#", "a#1-", "a#3-1", "a#x", "a#1#2", "a b", "a#1;2"])("%j selects no PF", (text) => {
  expect(parsePfSelector(text)).toBeUndefined();
});
