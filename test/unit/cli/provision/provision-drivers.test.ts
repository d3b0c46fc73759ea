// `virtfn provision` and the drivers of resources' VFs, on fake nodes: what it reports, and which driver has what afterwards.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import { runProvision } from "../../../../cli/provision/main.ts";
import { SystemCallError } from "../../../../host/errors.ts";
import type { Host } from "../../../../host/host.ts";
import { readInventory } from "../../../../sriov/inventory.ts";
import { parsePciAddress } from "../../../../sriov/pci-address.ts";
import { callCni } from "../../../support/cni-call.ts";
import { createFakeHost, type FakeHost, type FakePf } from "../../../support/fake-host.ts";

const pf = parsePciAddress("0000:3b:00.0");
const [vf0, vf1, vf2] = ["0000:3b:02.0", "0000:3b:02.1", "0000:3b:02.2"];
const dpdk = { resourceName: "dpdk", driver: "vfio-pci" };
const resources = [
  { resourceName: "net", selectors: { pfNames: ["ens1f0#0"] } },
  { resourceName: "dpdk", selectors: { pfNames: ["ens1f0#1-7"], drivers: ["vfio-pci"] } },
];

function makeNode(more: Partial<FakePf> = {}): FakeHost {
  return createFakeHost([{ name: "ens1f0", address: pf, vfs: 3, ...more }]);
}

interface Call {
  readonly provision?: readonly object[];
  readonly resourceList?: readonly object[];
  readonly args?: readonly string[];
  readonly host?: Host;
}

async function provision(
  node: FakeHost,
  { provision: section = [dpdk], resourceList = resources, args = ["--strict"], host = node.host }: Call = {},
): Promise<{ code: number; report: string }> {
  node.host.files.writeAtomic(
    node.host.paths.resourceConfig,
    JSON.stringify({ provision: section, resourceList }),
  );
  let report = "";
  const print = (text: string): void => void (report += text);
  const code = await runProvision(host, args, { print, listPods: async () => [] });
  return { code, report };
}

function driversOf(node: FakeHost): string {
  return [...readInventory(node.host).vfs.values()].map(({ driver }) => driver ?? "none").join(" ");
}

test("the VFs of the resource get vfio-pci under the locks of all of the PF, once, and are given back", async () => {
  using node = makeNode();
  const before = node.toText();
  expect(await provision(node)).toEqual({
    code: 0,
    report: `sriov/dpdk: give ${vf1}, ${vf2} to vfio-pci\n`,
  });
  expect(driversOf(node)).toBe("igbvf vfio-pci vfio-pci");
  expect(node.locks.taken).toEqual([vf0, vf1, vf2, pf]);
  expect(node.locks.held.size).toBe(0);
  const done = node.toText();
  expect((await provision(node)).report).toBe("sriov/dpdk: its VFs have vfio-pci\n");
  expect(node.toText()).toBe(done);
  const back = {
    provision: [{ ...dpdk, driver: "kernel" }],
    resourceList: [{ resourceName: "dpdk", selectors: { pfNames: ["ens1f0"] } }],
  };
  expect((await provision(node, back)).report).toBe(
    `sriov/dpdk: give ${vf1}, ${vf2} to a driver of the kernel\n`,
  );
  expect(withoutNumbers(node.toText())).toBe(withoutNumbers(before));
});

test("a resource is known by the prefix that the device plugin was given", async () => {
  using node = makeNode();
  const named = { ...dpdk, resourceName: "intel.com/dpdk" };
  const args = ["--strict", "--resource-prefix", "intel.com"];
  expect(await provision(node, { provision: [named], args })).toEqual({
    code: 0,
    report: `intel.com/dpdk: give ${vf1}, ${vf2} to vfio-pci\n`,
  });
});

test("VFs are made first and get the driver then, in one run", async () => {
  using node = makeNode({ vfs: 0 });
  const { report } = await provision(node, { provision: [dpdk, { pfNames: ["ens1f0"], numVfs: 3 }] });
  expect(report).toBe(`ens1f0 (${pf}): make 3 VFs\nsriov/dpdk: give ${vf1}, ${vf2} to vfio-pci\n`);
  expect(driversOf(node)).toBe("igbvf vfio-pci vfio-pci");
});

test("--dry-run tells the plan and changes nothing", async () => {
  using node = makeNode();
  const before = node.toText();
  const { code, report } = await provision(node, { args: ["--dry-run", "--strict"] });
  expect(report).toBe(`sriov/dpdk: would give ${vf1}, ${vf2} to vfio-pci\n`);
  expect([code, node.toText()]).toEqual([0, before]);
});

test("a VF that a pod has keeps its driver, and the pod is named; the others get theirs", async () => {
  using node = makeNode();
  node.addNetns("web-1");
  const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", deviceID: vf1 };
  expect((await callCni(node.host, config)).exitCode).toBe(0);
  const { code, report } = await provision(node);
  expect(report).toBe(
    `sriov/dpdk: give ${vf2} to vfio-pci; ERR_VFS_IN_USE: changing the VFs of sriov/dpdk: expected none in use, ` +
      `got: pod shop/web-1 has ${vf1}; the interface of ${vf1} is in another network namespace\n`,
  );
  expect([code, driversOf(node)]).toEqual([1, "igbvf igbvf vfio-pci"]);
  expect((await provision(node, { args: [] })).code).toBe(0);
});

test("a program that has a VF open by VFIO is its user, pod or not", async () => {
  using node = makeNode({ userspace: [1, 2] });
  const group = readInventory(node.host).vfs.get(parsePciAddress(vf1 ?? ""))?.iommuGroup;
  fs.mkdirSync(`${node.root}/proc/4711/fd`, { recursive: true });
  fs.symlinkSync(`/dev/vfio/${group}`, `${node.root}/proc/4711/fd/9`);
  const kernel = [{ resourceName: "net", driver: "kernel" }];
  const resourceList = [{ resourceName: "net" }];
  const { report } = await provision(node, { provision: kernel, resourceList });
  expect(report).toContain(`give ${vf2} to a driver of the kernel; ERR_VFS_IN_USE`);
  expect(report).toContain(`process 4711 has ${vf1} open (/dev/vfio/${group})`);
  expect(driversOf(node)).toBe("igbvf vfio-pci igbvf");
  const none = [{ pfNames: ["ens1f0"], numVfs: 0 }];
  expect((await provision(node, { provision: none, resourceList })).report).toContain("process 4711 has");
});

test("a VF that the node lives on is not the resource's", async () => {
  using node = makeNode();
  using netlink = node.host.openNetlink();
  const index = netlink.getLink({ name: "ens1f0v1" })?.index ?? 0;
  netlink.addAddress(index, { family: 4, address: "192.0.2.1", prefixLength: 24 });
  await provision(node);
  expect(driversOf(node)).toBe("igbvf igbvf vfio-pci");
});

test("what stands in the way is told once, and nothing is changed", async () => {
  using node = makeNode();
  fs.rmSync(`${node.root}/sys/bus/pci/drivers/vfio-pci`, { recursive: true });
  const before = node.toText();
  const { code, report } = await provision(node);
  expect(report).toBe("sriov/dpdk: ERR_DRIVER: the driver vfio-pci is not loaded (modprobe vfio-pci)\n");
  expect([code, node.toText()]).toEqual([1, before]);
});

test.each(["driver_override", "unbind", "drivers_probe"])(
  "killed at the first write of %s, the next run completes",
  async (file) => {
    using node = makeNode();
    const killed = new Error("killed");
    const files = { ...node.host.files };
    files.writeText = (path, text) => {
      if (path.endsWith(`/${file}`)) throw killed;
      node.host.files.writeText(path, text);
    };
    await expect(provision(node, { host: { ...node.host, files } })).rejects.toBe(killed);
    expect((await provision(node)).code).toBe(0);
    expect(driversOf(node)).toBe("igbvf vfio-pci vfio-pci");
  },
);

test("a driver that does not take one VF leaves it as it was, and takes the others", async () => {
  using node = makeNode();
  const files = { ...node.host.files };
  files.writeText = (path, text) => {
    if (path.endsWith("/drivers_probe") && text === vf1 && !driversOf(node).includes("vfio-pci"))
      throw new SystemCallError("write", path, "EINVAL");
    node.host.files.writeText(path, text);
  };
  const { code, report } = await provision(node, { host: { ...node.host, files } });
  expect(report).toContain(`give ${vf2} to vfio-pci; ERR_DRIVER: giving ${vf1} to the driver vfio-pci: `);
  expect(code).toBe(1);
});

test("a resource before it has its VFs first", async () => {
  using node = makeNode();
  const all = { resourceName: "dpdk", selectors: { pfNames: ["ens1f0"] } };
  await provision(node, { resourceList: [resources[0] ?? {}, all] });
  expect(driversOf(node)).toBe("igbvf vfio-pci vfio-pci");
});

test("every mistake is told with its line", async () => {
  using node = makeNode();
  const { report } = await provision(node, {
    provision: [
      { resourceName: "none", driver: "vfio-pci" },
      { resourceName: "dpdk", driver: "kernel" },
      { resourceName: "net", driver: "uio" },
      { driver: "kernel" },
      { resourceName: "net", driver: "kernel" },
      { resourceName: "sriov/net", driver: "kernel", numVfs: 4 },
      { resourceName: "sriov/net", driver: "kernel" },
    ],
  });
  for (const problem of [
    'provision[0].resourceName: expected one resource of resourceList (sriov/net, sriov/dpdk), got "none"',
    'provision[1].driver: expected a driver that sriov/dpdk selects (vfio-pci), got "kernel"',
    'provision[2].driver: expected kernel or vfio-pci, got "uio"',
    "provision[3].resourceName: expected the name of a resource of resourceList",
    "provision[5].numVfs: unknown key",
    'provision[6].resourceName: expected each resource once, got "sriov/net"',
  ])
    expect(report).toContain(problem);
  expect(driversOf(node)).toBe("igbvf igbvf igbvf");
});

/** A netdev that comes back has another number and, from udev, the same name. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/mac [0-9a-f:]+/gu, "mac");
}
