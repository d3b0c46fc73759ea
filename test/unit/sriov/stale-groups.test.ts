// VFIO groups that containers were given, against those that their VFs have now.

import { expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { findStaleGrants, listVfioGroups } from "../../../sriov/stale-groups.ts";

const vf = parsePciAddress("0000:3b:02.0");
const other = parsePciAddress("0000:3b:02.1");
const vfs = new Map([
  [vf, { iommuGroup: 10 }],
  [other, { iommuGroup: undefined }],
]);

function grant(...nodes: readonly string[]) {
  return { resource: "sriov/vf", ids: [vf], nodes: ["/dev/vfio/vfio", ...nodes] };
}

test.each([
  ["the group of now", [grant("/dev/vfio/10")], []],
  ["no group", [grant()], []],
  ["another group", [grant("/dev/vfio/77")], [77]],
  ["another group without an IOMMU", [grant("/dev/vfio/noiommu-77")], [77]],
  ["a pod that is gone, and the one that has its VF now", [grant("/dev/vfio/77"), grant("/dev/vfio/10")], []],
  ["a VF without a group", [{ ...grant("/dev/vfio/3"), ids: [other] }], [3]],
  ["a VF that is gone", [{ ...grant("/dev/vfio/3"), ids: ["0000:3b:04.0"] }], []],
  ["a device of another plugin", [{ ...grant("/dev/vfio/3"), ids: ["gpu0"] }], []],
])("%s", (_, grants, given) => {
  expect(findStaleGrants(grants, vfs).flatMap((stale) => stale.given)).toEqual(given);
});

test("groups among device nodes", () => {
  expect(listVfioGroups(["/dev/vfio/vfio", "/dev/vfio/4", "/dev/vfio/noiommu-5", "/dev/uio0"])).toEqual([
    4, 5,
  ]);
});
