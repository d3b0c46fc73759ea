// What a device-info file says of a VF, and how its name is made and read.
import { expect, test } from "vitest";

import {
  formatDeviceInfoName,
  parseDeviceInfoName,
  readDeviceInfo,
  writeDeviceInfo,
} from "../../../sriov/device-info.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { anyDevice } from "../../../sriov/selector-config.ts";
import type { DeviceSelector } from "../../../sriov/selector.ts";
import { machines } from "../../fixtures/machines.ts";
import { deviceFolder } from "../../support/fixture-devices.ts";
import { type FolderPlan, writeFolder } from "../../support/fixture-folder.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const address = parsePciAddress("0000:01:10.2");
const folder = deviceFolder(address);
const pfNet = `${deviceFolder("0000:01:00.0")}/net`;
const place = { "pci-address": address, "pf-pci-address": "0000:01:00.0" };

function vfOf(tree: FixtureTree): NonNullable<ReturnType<typeof readVf>> {
  const vf = readVf(tree.host, address);
  if (vf === undefined) throw new Error(`the machine has no VF ${address}`);
  return vf;
}

test.each<[string, Partial<DeviceSelector>, FolderPlan, object]>([
  ["a VF of a network driver", {}, {}, { type: "pci", version: "1.1.0", pci: place }],
  [
    "a VF with an RDMA device, a representor and vhost-net",
    { needVhostNet: true },
    {
      [`${folder}/infiniband/mlx5_3/node_type`]: "1: CA",
      [`${pfNet}/eth7/phys_port_name`]: "pf0vf10",
      [`${pfNet}/eth8/phys_port_name`]: "c1pf0vf1",
      [`${pfNet}/eth9/phys_port_name`]: "pf0vf1",
    },
    {
      type: "pci",
      version: "1.1.0",
      pci: { ...place, "rdma-device": "mlx5_3", "representor-device": "eth9", "vhost-net": "/dev/vhost-net" },
    },
  ],
  [
    "a vDPA device of vhost",
    { vdpaType: "vhost" },
    { [`${folder}/vdpa0/vhost-vdpa-1/dev`]: "511:1" },
    {
      type: "vdpa",
      version: "1.1.0",
      vdpa: { "parent-device": "vdpa0", driver: "vhost", path: "/dev/vhost-vdpa-1", ...place },
    },
  ],
  [
    "a vDPA device of virtio",
    { vdpaType: "virtio" },
    { [`${folder}/vdpa0/virtio4/status`]: "0x0000000f" },
    {
      type: "vdpa",
      version: "1.1.0",
      vdpa: {
        "parent-device": "vdpa0",
        driver: "virtio",
        path: "/sys/bus/virtio/devices/virtio4",
        ...place,
      },
    },
  ],
])("%s", (_, selector, files, expected) => {
  using tree = createFixtureTree(machines.igb);
  writeFolder(tree.root, files);
  expect(readDeviceInfo(tree.host, vfOf(tree), { ...anyDevice, ...selector })).toEqual(expected);
});

test("the file replaces one that is there, and no one may write it", () => {
  using tree = createFixtureTree(machines.igb);
  for (const needVhostNet of [false, true])
    writeDeviceInfo(tree.host, "sriov/vf", vfOf(tree), { ...anyDevice, needVhostNet });
  const path = `${tree.host.paths.deviceInfo}/sriov-vf-0000:01:10.2-device.json`;
  expect(tree.host.files.readText(path)).toBe(
    '{"type":"pci","version":"1.1.0","pci":{"pci-address":"0000:01:10.2","pf-pci-address":"0000:01:00.0","vhost-net":"/dev/vhost-net"}}',
  );
  expect(tree.host.files.stat(path)?.mode).toBe(0o444);
  expect(tree.host.files.stat(tree.host.paths.deviceInfo)?.mode).toBe(0o755);
  expect(tree.host.files.list(tree.host.paths.deviceInfo)).toHaveLength(1);
});

test("a name is read back for its own resource only", () => {
  const name = formatDeviceInfoName("example.com/fast", address);
  expect(name).toBe("example.com-fast-0000:01:10.2-device.json");
  expect(parseDeviceInfoName("example.com/fast", name)).toBe(address);
  expect(parseDeviceInfoName("example.com/fast-net", name)).toBeUndefined();
  expect(
    parseDeviceInfoName("example.com/fast", "example.com-fast-net-0000:01:10.2-device.json"),
  ).toBeUndefined();
  expect(parseDeviceInfoName("example.com/fast", "example.com-fast-0000:01:10.2.json")).toBeUndefined();
});
