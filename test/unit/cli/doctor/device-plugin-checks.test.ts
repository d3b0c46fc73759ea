// What virtfn doctor tells of the device plugin: whether it runs, its resources by the names that it offers, and their limits.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { callDoctor, findTrouble } from "../../../support/call-doctor.ts";
import { parseResourceRules } from "../../../../sriov/resource-rules.ts";
import { createDoctorNode, makePod } from "../../../support/doctor-node.ts";
import { offer } from "../../../support/status-node.ts";

test("a device plugin that ended and left what it said does not pass as one that runs", async () => {
  using node = createDoctorNode();
  node.fake.sockets.servers.clear();
  const { exitCode, told } = await findTrouble(node);
  expect(told).toMatchObject([
    {
      check: "plugin-sockets",
      severity: "error",
      seen: "the device plugin does not run: nobody listens for sriov/vf",
    },
  ]);
  expect(exitCode).toBe(1);
});

test("a resource that is offered and not served is named", async () => {
  using node = createDoctorNode();
  offer(node, { pools: { "sriov/vf": [node.address(0)], "sriov/b": [node.address(1)] } });
  const { told } = await findTrouble(node);
  expect(told.map(({ check, seen }) => `${check}: ${seen}`)).toEqual([
    "plugin-sockets: not all resources are served: nobody listens for sriov/b",
  ]);
});

test("where the kubelet's folders are not seen it is unknown", async () => {
  using node = createDoctorNode();
  rmSync(join(node.fake.root, "var/lib/kubelet"), { recursive: true });
  const { told } = await findTrouble(node);
  expect(told).toContainEqual(expect.objectContaining({ check: "plugin-sockets", severity: "unknown" }));
});

test("a resource has the prefix that the device plugin was given, which stands in no file", async () => {
  using node = createDoctorNode();
  rmSync(join(node.fake.root, "sys/kernel/iommu_groups"), { recursive: true });
  offer(node, { pools: { "example.com/dpdk": [node.address(1)], "intel.com/dpdk": [node.address(0)] } });
  node.write(
    "etc/virtfn/deviceplugin/config.yaml",
    "resourceList: [{resourceName: dpdk, driver: vfio-pci}, {resourceName: dpdk, resourcePrefix: example.com}]\n",
  );
  const { told } = await findTrouble(node);
  const iommu = told.find(({ seen }) => seen.startsWith("no IOMMU"));
  expect(iommu?.seen).toBe("no IOMMU for vfio-pci (the resource intel.com/dpdk)");
});

test("a pod with an accelerator, which no CNI plugin attaches, is as it shall be", async () => {
  using node = createDoctorNode();
  node.pods.push(makePod("fec-1", [node.address(1)]));
  node.write(`sys/bus/pci/devices/${node.address(1)}/class`, "0x120001\n");
  const { told } = await findTrouble(node);
  expect(told.filter(({ check }) => check === "pod-records")).toEqual([]);
});

test.each([
  [
    "a resource whose limits leave nothing beside those of node.yaml is named",
    "vlans: [1-9], trust: off",
    [
      "vlans of sriov/vf: node.yaml allows 1-9, its configuration 10",
      "trust of sriov/vf: node.yaml allows off, its configuration on",
    ],
  ],
  ["limits that leave something are right", "vlans: [1-10], trust: on", []],
])("%s", async (_, ofNode, expected) => {
  using node = createDoctorNode();
  const given = { limits: { vlans: [10], trust: "on" }, tuning: undefined };
  const rules = new Map([["sriov/vf", parseResourceRules(given, "").rules]]);
  offer(node, { pools: { "sriov/vf": [node.address(0)] }, rules });
  node.write("etc/virtfn/node.yaml", `limits: {"*": {${ofNode}}}`);
  const { told } = await findTrouble(node);
  expect(told.filter(({ check }) => check === "limits").map(({ seen }) => seen)).toEqual(expected);
});

test("limits are told with the place that says them", async () => {
  using node = createDoctorNode();
  const rules = new Map([
    ["sriov/vf", parseResourceRules({ limits: { trust: "on" }, tuning: undefined }, "").rules],
  ]);
  offer(node, { pools: { "sriov/vf": [node.address(0)] }, rules });
  node.write("etc/virtfn/node.yaml", 'limits: {"*": {vlans: [1]}}');
  const { text } = await callDoctor(node);
  expect(text).toMatch(/^limits +ok +sriov\/vf \(its configuration\), \* \(node\.yaml\)$/m);
});
