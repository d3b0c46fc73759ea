// CDI files over time, and what a container is told with them.
import { pino } from "pino";
import { expect, test } from "vitest";

import { allocateDevices } from "../../../deviceplugin/allocation.ts";
import { readCandidates } from "../../../sriov/resource-candidates.ts";
import { CdiFiles } from "../../../deviceplugin/cdi-files.ts";
import { buildDeviceTree, type DeviceTree, type OfferedPool } from "../../../deviceplugin/device-tree.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { parseResourceConfig } from "../../../sriov/resource-config.ts";
import { machines } from "../../fixtures/machines.ts";
import { writeCheckpoint } from "../../support/fake-host-kubelet.ts";
import { deviceFolder } from "../../support/fixture-devices.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";

const vf = "0000:01:10.0";
const log = pino({ enabled: false });
const file = "virtfn.sriov-net-dpdk.json";
const config = [
  { resourceName: "dpdk", driver: "vfio-pci", selectors: { pciAddresses: [vf] } },
  { resourceName: "net" },
];

function look(tree: FixtureTree, resourceList: readonly object[] = config): DeviceTree {
  const text = JSON.stringify({ resourceList });
  const pools = parseResourceConfig(text, { path: "config.json", prefix: "sriov" });
  return buildDeviceTree(readCandidates(tree.host, readInventory(tree.host), pools), new Map(), pools);
}

function setGroup(tree: FixtureTree, group: number): void {
  writeFolder(tree.root, { [`${deviceFolder(vf)}/iommu_group`]: { to: `sys/kernel/iommu_groups/${group}` } });
}

function poolOf(tree: FixtureTree, name: string): OfferedPool {
  const offered = look(tree).resources.get(name);
  if (offered === undefined) throw new Error(`there is no resource ${name}`);
  return offered;
}

function list({ host }: FixtureTree): readonly string[] {
  return host.files.list(host.paths.cdi) ?? [];
}

function read({ host }: FixtureTree): unknown {
  return JSON.parse(host.files.readText(`${host.paths.cdi}/${file}`) ?? "null") as unknown;
}

function specOf(group: number): object {
  const nodes = ["/dev/vfio/vfio", `/dev/vfio/${group}`];
  const deviceNodes = nodes.map((path) => ({ path, hostPath: path, permissions: "rw" }));
  return {
    cdiVersion: "0.5.0",
    kind: "virtfn.sriov/net-dpdk",
    devices: [{ name: vf, containerEdits: { deviceNodes } }],
  };
}

test("a file that somebody removed is there again after the next look", () => {
  using tree = createFixtureTree(machines.igb);
  const files = new CdiFiles(tree.host, log);
  files.follow(look(tree));
  tree.host.files.remove(`${tree.host.paths.cdi}/${file}`);
  files.follow(look(tree));
  expect(list(tree)).toEqual([file]);
});

test("a resource whose VFs have nodes has a file, readable for all; one without has none", () => {
  using tree = createFixtureTree(machines.igb);
  setGroup(tree, 42);
  new CdiFiles(tree.host, log).follow(look(tree));
  expect(list(tree)).toEqual([file]);
  expect(read(tree)).toEqual(specOf(42));
  expect(tree.host.files.stat(`${tree.host.paths.cdi}/${file}`)?.mode).toBe(0o644);
});

test("a start writes the file anew with the group of now, and a file that is right is left alone", () => {
  using tree = createFixtureTree(machines.igb);
  setGroup(tree, 42);
  new CdiFiles(tree.host, log).follow(look(tree));
  setGroup(tree, 43);
  const files = new CdiFiles(tree.host, log);
  files.follow(look(tree));
  expect(read(tree)).toEqual(specOf(43));
  const { inode } = tree.host.files.stat(`${tree.host.paths.cdi}/${file}`) ?? {};
  files.follow(look(tree));
  expect(tree.host.files.stat(`${tree.host.paths.cdi}/${file}`)?.inode).toBe(inode);
});

test("the file of a resource that is gone stays while a container has its device, then goes; others' stay", () => {
  using tree = createFixtureTree(machines.igb);
  const { files: disk, paths } = tree.host;
  const files = new CdiFiles(tree.host, log);
  files.follow(look(tree));
  disk.writeAtomic(`${paths.cdi}/example.com-gpu.json`, "{}");
  const other = { uid: "u1", containers: {}, resource: "sriov/net", registered: [] };
  const entry = { ...other, containers: { app: [vf] }, resource: "sriov/dpdk" };
  files.follow(look(tree, [{ resourceName: "net" }]));
  expect(list(tree)).toContain(file);
  writeCheckpoint(paths.kubelet.checkpoint, entry);
  files.follow(look(tree, [{ resourceName: "net" }]));
  expect(list(tree)).toContain(file);
  disk.remove(paths.kubelet.checkpoint);
  writeCheckpoint(paths.kubelet.checkpoint, other);
  files.follow(look(tree, [{ resourceName: "net" }]));
  expect(list(tree)).toEqual(["example.com-gpu.json"]);
});

test("a container is told the device's name, by the field and by an annotation, and no node", () => {
  using tree = createFixtureTree(machines.igb);
  const cdi = new CdiFiles(tree.host, log);
  const answer = allocateDevices(tree.host, poolOf(tree, "sriov/dpdk"), [vf], cdi);
  expect(answer).toMatchObject({
    devices: [],
    cdiDevices: [{ name: "virtfn.sriov/net-dpdk=0000:01:10.0" }],
    annotations: { "cdi.k8s.io/virtfn_0000-01-10.0": "virtfn.sriov/net-dpdk=0000:01:10.0" },
  });
  expect(list(tree)).toEqual([file]);
});

test("a VF without nodes has no name that the runtime could not find", () => {
  using tree = createFixtureTree(machines.igb);
  const cdi = new CdiFiles(tree.host, log);
  const answer = allocateDevices(tree.host, poolOf(tree, "sriov/net"), ["0000:01:10.2"], cdi);
  expect(answer).toMatchObject({ devices: [], cdiDevices: [], annotations: {} });
});

test("a file that cannot be written fails no pod: the container gets the nodes themselves", () => {
  using tree = createFixtureTree(machines.igb);
  setGroup(tree, 42);
  tree.host.files.writeAtomic(tree.host.paths.cdi, "a file in the way");
  const lines: string[] = [];
  const cdi = new CdiFiles(tree.host, pino({}, { write: (line: string) => void lines.push(line) }));
  for (const _ of [1, 2]) {
    const answer = allocateDevices(tree.host, poolOf(tree, "sriov/dpdk"), [vf], cdi);
    expect(answer.devices.map(({ hostPath }) => hostPath)).toEqual(["/dev/vfio/vfio", "/dev/vfio/42"]);
    expect(answer.cdiDevices).toEqual([]);
  }
  expect(lines).toHaveLength(1);
});
