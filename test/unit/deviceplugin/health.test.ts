// One device, what is seen of it, and the one reason that is told.
import { expect, test } from "vitest";

import { findHealthProblem, type HealthFacts } from "../../../deviceplugin/health.ts";

const owner = {
  containerId: "4f1c09",
  attachment: "eth0",
  network: "blue",
  netns: "/run/netns/x",
  cookie: "7",
  pod: { namespace: "shop", name: "web-1", uid: "u1" },
};
const healthy: HealthFacts = {
  isPresent: true,
  configSpace: new Uint8Array(64).fill(0xff, 0, 4),
  driver: "igbvf",
  expectedDriver: "igbvf",
  record: undefined,
  isAllocated: undefined,
  otherResource: undefined,
  pfWithoutLink: undefined,
};
const kubelets = { owner, pickedBy: "kubelet" } as const;

test.each<[string, Partial<HealthFacts>, string | undefined]>([
  ["nothing special, a VF whose vendor reads ones", {}, undefined],
  ["no configuration space that can be read", { configSpace: undefined }, undefined],
  ["a configuration space of ones", { configSpace: new Uint8Array(64).fill(0xff) }, "config-space"],
  ["nothing at all of the configuration space", { configSpace: new Uint8Array(0) }, undefined],
  ["a VF that is gone", { isPresent: false, driver: undefined }, "vanished"],
  ["no driver", { driver: undefined }, "driver"],
  ["another driver", { driver: "vfio-pci" }, "driver"],
  ["a record of a pod that the kubelet knows", { record: kubelets, isAllocated: true }, undefined],
  ["a record of a pod that it does not know", { record: kubelets, isAllocated: false }, "unknown-owner"],
  ["a record, and a kubelet that cannot tell", { record: kubelets, isAllocated: undefined }, undefined],
  [
    "a record of a pod that got it as a device of another resource",
    { record: kubelets, isAllocated: true, otherResource: "sriov/fast" },
    "other-resource",
  ],
  [
    "no record, and a pod of another resource that may be gone",
    { isAllocated: true, otherResource: "sriov/fast" },
    undefined,
  ],
  ["no record, and no pod", { isAllocated: false }, undefined],
  ["a VF picked by the CNI", { record: { owner, pickedBy: "cni" }, isAllocated: false }, "outside-kubelet"],
  ["a PF without link", { pfWithoutLink: "ens1f0" }, "link"],
  ["a driver that is gone and a PF without link", { driver: undefined, pfWithoutLink: "ens1f0" }, "driver"],
])("%s", (_, seen, code) => {
  expect(findHealthProblem({ ...healthy, ...seen })?.code).toBe(code);
});

test("the reason names what is seen", () => {
  expect(reasonOf({ driver: "vfio-pci" })).toBe("expected the driver igbvf, got vfio-pci");
  expect(reasonOf({ pfWithoutLink: "ens1f0" })).toBe("the PF ens1f0 has no link");
  expect(reasonOf({ record: kubelets, isAllocated: false })).toBe(
    "pod shop/web-1 has it, which the kubelet does not know",
  );
  expect(reasonOf({ record: kubelets, isAllocated: true, otherResource: "sriov/fast" })).toBe(
    "pod shop/web-1 has it as a device of sriov/fast",
  );
});

function reasonOf(seen: Partial<HealthFacts>): string | undefined {
  return findHealthProblem({ ...healthy, ...seen })?.reason;
}
