// What a container gets of one VF: sections of the INFO variable and device nodes, by driver, selector and resource.
import { expect, test } from "vitest";

import { allocateDevices } from "../../../deviceplugin/allocation.ts";
import { readCandidates } from "../../../sriov/resource-candidates.ts";
import { buildDeviceTree } from "../../../deviceplugin/device-tree.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { parseResourceConfig } from "../../../sriov/resource-config.ts";
import { machines } from "../../fixtures/machines.ts";
import { deviceFolder } from "../../support/fixture-devices.ts";
import { type FolderEntry, type FolderPlan, writeFolder } from "../../support/fixture-folder.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";

const [first, second] = ["0000:01:10.0", "0000:01:10.2"] as const;
const folder = deviceFolder(first);

interface Case {
  readonly selectors?: object;
  readonly resource?: object;
  readonly driver?: string;
  readonly group?: number;
  readonly files?: FolderPlan;
  readonly ids?: readonly string[];
}

/** The INFO of the first VF without its generic section, and the nodes as "host" or "host -> container". */
function allocate({ selectors = {}, resource = {}, driver, group = 42, files = {}, ids = [first] }: Case): {
  readonly info: unknown;
  readonly nodes: string;
} {
  using tree = createFixtureTree(machines.igb);
  if (driver !== undefined) tree.setDriver(first, driver);
  const link: FolderEntry = { to: `sys/kernel/iommu_groups/${group}` };
  writeFolder(tree.root, { [`${folder}/iommu_group`]: link, ...files });
  const text = JSON.stringify({ resourceList: [{ resourceName: "x", selectors, ...resource }] });
  const [pool] = parseResourceConfig(text, { path: "config.json", prefix: "sriov" });
  if (pool === undefined) throw new Error("the configuration has no resource");
  const candidates = readCandidates(tree.host, readInventory(tree.host), [pool]);
  const offered = buildDeviceTree(candidates, new Map(), [pool]).resources.get(pool.name)?.devices;
  const { envs, devices } = allocateDevices(tree.host, { pool, devices: offered ?? new Map() }, ids);
  const { generic, ...info } = (
    JSON.parse(envs["PCIDEVICE_SRIOV_X_INFO"] ?? "{}") as Record<string, Record<string, unknown>>
  )[first] as Record<string, unknown>;
  expect(generic).toEqual({ deviceID: first });
  expect(new Set(devices.map(({ permissions }) => permissions)).isSubsetOf(new Set(["rw"]))).toBe(true);
  const nodes = devices.map(({ hostPath, containerPath }) =>
    hostPath === containerPath ? hostPath : `${hostPath} -> ${containerPath}`,
  );
  return { info, nodes: nodes.join(" ") };
}

test("a VF with a network driver and a plain selector gets nothing but its address", () => {
  expect(allocate({})).toEqual({ info: {}, nodes: "" });
});

test("vfio-pci: the container node and that of the group of now", () => {
  expect(allocate({ driver: "vfio-pci" })).toEqual({
    info: { vfio: { mount: "/dev/vfio/vfio", "dev-mount": "/dev/vfio/42" } },
    nodes: "/dev/vfio/vfio /dev/vfio/42",
  });
});

test("vfio-pci without an IOMMU: the node's longer name is not seen in the container", () => {
  const files = { "sys/kernel/iommu_groups/42/name": "vfio-noiommu" };
  expect(allocate({ driver: "vfio-pci", files })).toEqual({
    info: { vfio: { mount: "/dev/vfio/vfio", "dev-mount": "/dev/vfio/42" } },
    nodes: "/dev/vfio/vfio /dev/vfio/noiommu-42 -> /dev/vfio/42",
  });
});

test("driver: vfio-pci hands the nodes out in advance, while the VF has its network driver", () => {
  expect(allocate({ resource: { driver: "vfio-pci" } }).nodes).toBe("/dev/vfio/vfio /dev/vfio/42");
  expect(allocate({ resource: { driver: "kernel" } }).nodes).toBe("");
});

test("nodes that several VFs share are told once", () => {
  const { nodes } = allocate({ resource: { driver: "vfio-pci" }, ids: [first, second] });
  expect(nodes).toMatch(/^\/dev\/vfio\/vfio \/dev\/vfio\/42 \/dev\/vfio\/(?!42)\d+$/);
});

test.each(["uio_pci_generic", "igb_uio"])("%s: its uio node", (driver) => {
  const files = { [`${folder}/uio/uio3/name`]: driver };
  expect(allocate({ driver, files })).toEqual({
    info: { uio: { mount: "/dev/uio3" } },
    nodes: "/dev/uio3",
  });
});

const rdma = {
  [`${folder}/infiniband/mlx5_2/ports/1/pkeys/0`]: "0x8001",
  [`${folder}/infiniband_verbs/uverbs4/ibdev`]: "mlx5_2",
  [`${folder}/infiniband_mad/umad4/ibdev`]: "mlx5_2",
  [`${folder}/infiniband_mad/issm4/ibdev`]: "mlx5_2",
};

test("isRdma: the character devices, and the connection manager's where its module is loaded", () => {
  const info = {
    uverbs: "/dev/infiniband/uverbs4",
    umad: "/dev/infiniband/umad4",
    issm: "/dev/infiniband/issm4",
    rdma_dev: "mlx5_2",
  };
  const nodes = "/dev/infiniband/uverbs4 /dev/infiniband/issm4 /dev/infiniband/umad4";
  expect(allocate({ selectors: { isRdma: true }, files: rdma })).toEqual({ info: { rdma: info }, nodes });
  const files = { ...rdma, "sys/class/misc/rdma_cm/dev": "10:58" };
  expect(allocate({ selectors: { isRdma: true }, files })).toEqual({
    info: { rdma: { ...info, rdma_cm: "/dev/infiniband/rdma_cm" } },
    nodes: `${nodes} /dev/infiniband/rdma_cm`,
  });
});

test("an RDMA device that no selector asks for is not given", () => {
  expect(allocate({ files: rdma })).toEqual({ info: {}, nodes: "" });
});

test("needVhostNet: the nodes of vhost-net and tun", () => {
  expect(allocate({ selectors: { needVhostNet: true } })).toEqual({
    info: { vhost: { "net-mount": "/dev/vhost-net", "tun-mount": "/dev/net/tun" } },
    nodes: "/dev/vhost-net /dev/net/tun",
  });
});

test("vdpaType vhost has a node, virtio has a netdev and needs none", () => {
  const files = {
    [`${folder}/vdpa0/driver`]: { to: "sys/bus/vdpa/drivers/vhost_vdpa" },
    [`${folder}/vdpa0/vhost-vdpa-1/dev`]: "511:1",
  };
  expect(allocate({ selectors: { vdpaType: "vhost" }, files })).toEqual({
    info: { vdpa: { mount: "/dev/vhost-vdpa-1" } },
    nodes: "/dev/vhost-vdpa-1",
  });
  const virtio = { [`${folder}/vdpa0/driver`]: { to: "sys/bus/vdpa/drivers/virtio_vdpa" } };
  expect(allocate({ selectors: { vdpaType: "virtio" }, files: virtio })).toEqual({ info: {}, nodes: "" });
});

test("additionalInfo: that of the address goes over that of all", () => {
  const additionalInfo = {
    "*": { token: "all", zone: "a" },
    [first]: { token: "one" },
    [second]: { x: "y" },
  };
  expect(allocate({ resource: { additionalInfo } }).info).toEqual({ extra: { token: "one", zone: "a" } });
});
