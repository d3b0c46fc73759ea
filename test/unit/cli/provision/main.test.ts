// `virtfn provision` on fake nodes: what it reports, and what is there afterwards.

import { expect, test } from "vitest";

import { runProvision } from "../../../../cli/provision/main.ts";
import type { Host } from "../../../../host/host.ts";
import { SystemCallError } from "../../../../host/errors.ts";
import type { PodAllocation } from "../../../../kubelet/pod-resources.ts";
import { parsePciAddress } from "../../../../sriov/pci-address.ts";
import { readPf } from "../../../../sriov/inventory.ts";
import { callCni } from "../../../support/cni-call.ts";
import { createFakeHost, type FakeHost, type FakePf } from "../../../support/fake-host.ts";
import { Kill } from "../../../support/faults.ts";

const pf = parsePciAddress("0000:3b:00.0");
const vf = "0000:3b:02.1";

function makeNode(vfs: number, more: Partial<FakePf> = {}): FakeHost {
  return createFakeHost([{ name: "ens1f0", address: pf, vfs, ...more }]);
}

interface Call {
  readonly provision?: readonly object[];
  readonly args?: readonly string[];
  readonly pods?: readonly PodAllocation[] | undefined;
  readonly host?: Host;
}

async function provision(node: FakeHost, call: Call): Promise<{ code: number; report: string }> {
  const { host = node.host, args = [], pods } = call;
  const config = { provision: call.provision ?? [{ pfNames: ["ens1f0"], numVfs: 3 }], resourceList: [] };
  node.host.files.writeAtomic(node.host.paths.resourceConfig, JSON.stringify(config));
  let report = "";
  const print = (text: string): void => void (report += text);
  const code = await runProvision(host, args, { print, listPods: async () => pods });
  return { code, report };
}

function countVfs(node: FakeHost): number | undefined {
  return readPf(node.host, pf)?.numVfs;
}

test("VFs are made of a PF that is down, once; a second run writes nothing", async () => {
  using node = makeNode(0, { isDown: true });
  expect(await provision(node, {})).toEqual({
    code: 0,
    report: "ens1f0 (0000:3b:00.0): bring it up, make 3 VFs\n",
  });
  expect(countVfs(node)).toBe(3);
  const made = node.toText();
  expect(await provision(node, {})).toEqual({ code: 0, report: "ens1f0 (0000:3b:00.0): as it shall be\n" });
  expect(node.toText()).toBe(made);
});

test("another number goes by way of none, under the locks of all VFs in PCI order, then the PF's", async () => {
  using node = makeNode(2);
  const { report } = await provision(node, { provision: [{ rootDevices: [pf], numVfs: 4, mtu: 9000 }] });
  expect(report).toBe("ens1f0 (0000:3b:00.0): set the MTU to 9000, remove all VFs, make 4 VFs\n");
  expect(countVfs(node)).toBe(4);
  expect(node.toText()).toContain("ens1f0 0000:3b:00.0 mac 02:00:00:00:00:ff mtu 9000 up");
  expect(node.locks.taken).toEqual([0, 1, 2, 3].map((at) => `0000:3b:02.${at}`).concat(pf));
  expect(node.locks.held.size).toBe(0);
});

test("--dry-run tells the plan and changes nothing", async () => {
  using node = makeNode(2);
  const before = node.toText();
  const { report } = await provision(node, { args: ["--dry-run"] });
  expect(report).toBe("ens1f0 (0000:3b:00.0): would remove all VFs, make 3 VFs\n");
  expect(node.toText()).toBe(before);
});

test("more than the card has is told with its total", async () => {
  using node = makeNode(0);
  const total = readPf(node.host, pf)?.totalVfs ?? 0;
  const call = { provision: [{ pfNames: ["ens1f0"], numVfs: total + 1 }] };
  const { code, report } = await provision(node, call);
  expect(report).toContain(`ERR_PROVISION: making ${total + 1} VFs of ens1f0: expected at most ${total},`);
  expect(code).toBe(0);
  expect((await provision(node, { ...call, args: ["--strict"] })).code).toBe(1);
});

/** The node's card has no room for these numbers of VFs. */
function withoutRoom({ host }: FakeHost, numbers: readonly string[]): Host {
  const writeText: Host["files"]["writeText"] = (path, text) => {
    if (path.endsWith("/sriov_numvfs") && numbers.includes(text.trim()))
      throw new SystemCallError("write", path, "ENOSPC");
    host.files.writeText(path, text);
  };
  return { ...host, files: { ...host.files, writeText } };
}

test("a PF whose card has no room for as many has the VFs of before again, and whoever reads the report learns it", async () => {
  using node = makeNode(2);
  const { report } = await provision(node, { host: withoutRoom(node, ["3"]) });
  expect(report).toMatch(/: writing 3 to sriov_numvfs: .*ENOSPC; it has 2 VFs again, as before\n$/);
  expect(node.toText()).toMatch(/ens1f0v1 0000:3b:02\.1 /);
  expect(countVfs(node)).toBe(2);
  expect(node.locks.held.size).toBe(0);
  expect((await provision(node, { host: withoutRoom(node, ["2", "3"]) })).report).toMatch(
    /; the 2 VFs of before are gone: provisioning ens1f0 .*: writing 2 to sriov_numvfs: .*ENOSPC\n$/,
  );
});

test.each([[[]], [["--dry-run"]]])(
  "a PF whose VF a pod has is refused, naming the pod (%j)",
  async (args) => {
    using node = makeNode(2);
    node.addNetns("web-1");
    const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", deviceID: vf };
    expect((await callCni(node.host, config)).exitCode).toBe(0);
    const before = node.toText();
    const { code, report } = await provision(node, { args, pods: [] });
    expect(report).toBe(
      "ens1f0 (0000:3b:00.0): ERR_VFS_IN_USE: changing the VFs of ens1f0: expected none in use, " +
        `got: pod shop/web-1 has ${vf}; the interface of ${vf} is in another network namespace\n`,
    );
    expect(code).toBe(0);
    expect(node.toText()).toBe(before);
    expect((await provision(node, { args: [...args, "--strict"], pods: [] })).code).toBe(1);
  },
);

const listed: PodAllocation = {
  namespace: "shop",
  name: "web-2",
  containers: [{ name: "app", cpus: [], devices: new Map([["sriov/vf", [vf]]]) }],
};

test.each<[string, readonly PodAllocation[] | undefined, string | undefined]>([
  ["the kubelet lists its pod", [listed], `pod shop/web-2 has ${vf}`],
  ["the kubelet lists no pod of it any more", [], undefined],
  ["the kubelet lists it for another resource", [withResource("other.io/vf")], undefined],
  ["the kubelet cannot be asked", undefined, `a pod has ${vf} of sriov/vf (UID u1;`],
])("a VF of the checkpoint: %s", async (_, pods, told) => {
  using node = makeNode(2);
  node.allocate("u1", { app: [vf] }, "sriov/vf");
  const { report } = await provision(node, { pods });
  expect(report).toContain(told ?? "make 3 VFs");
  expect(countVfs(node)).toBe(told === undefined ? 3 : 2);
});

test("a pod that gets a VF while its lock is waited for is seen under the lock", async () => {
  using node = makeNode(2);
  node.addNetns("web-1");
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: vf };
  const starts: number[] = [];
  const locks: Host["locks"] = {
    acquire: async (name, options) => {
      // Its ADD had the lock before.
      if (name === vf) starts.push((await callCni(node.host, config)).exitCode);
      return await node.host.locks.acquire(name, options);
    },
  };
  const { report } = await provision(node, { host: { ...node.host, locks }, pods: [] });
  expect(starts).toEqual([0]);
  expect(report).toContain("ERR_VFS_IN_USE");
  expect(report).toContain(`pod shop/web-1 has ${vf}`);
  expect(countVfs(node)).toBe(2);
});

test("a checkpoint that cannot be read counts as use", async () => {
  using node = makeNode(2);
  node.host.files.writeAtomic(node.host.paths.kubelet.checkpoint, "nonsense");
  expect((await provision(node, { pods: [] })).report).toContain("the kubelet's pods cannot be told");
  expect(countVfs(node)).toBe(2);
});

test("killed between none and the new number, the next run completes", async () => {
  using node = makeNode(2);
  const files = { ...node.host.files };
  files.writeText = (path, text) => {
    if (path.endsWith("sriov_numvfs") && text.trim() === "3") throw new Kill("killed");
    node.host.files.writeText(path, text);
  };
  await expect(provision(node, { host: { ...node.host, files }, pods: [] })).rejects.toThrow("killed");
  expect(countVfs(node)).toBe(0);
  expect((await provision(node, { pods: [] })).report).toBe("ens1f0 (0000:3b:00.0): make 3 VFs\n");
});

test("without a section, or for PFs of other nodes, nothing is written", async () => {
  using node = makeNode(2);
  const before = node.toText();
  expect((await provision(node, { provision: [] })).report).toContain("provisions nothing");
  const other = [{ pfNames: ["ens9f9"], numVfs: 1 }];
  expect((await provision(node, { provision: other })).report).toBe(
    "nothing to do: this node has none of the PFs\n",
  );
  expect(node.toText()).toBe(before);
});

test("every mistake of the section is told with its line", async () => {
  using node = makeNode(0);
  const { code, report } = await provision(node, {
    provision: [
      { numVfs: 1 },
      { pfNames: ["ens1f0#0-3"], numVf: 2 },
      { pfNames: ["a"], mtu: 1 },
      { pfNames: ["a"] },
    ],
    args: ["--strict"],
  });
  for (const problem of [
    "provision[0].pfNames: expected at least one PF",
    "provision[1].numVf: unknown key, did you mean numVfs?",
    "provision[1].pfNames[0]: expected a PF's name like ens1f0",
    "provision[2].mtu: expected a whole number from 68 to 65535",
    "provision[3]: expected numVfs or mtu, got neither",
  ])
    expect(report).toContain(problem);
  expect(code).toBe(1);
});

test("a node whose devices cannot be read keeps no pod of virtfn from its start", async () => {
  using node = makeNode(2);
  const list: Host["files"]["list"] = (path) => {
    if (path.endsWith("/bus/pci/devices")) throw new SystemCallError("readdir", path, "EIO");
    return node.host.files.list(path);
  };
  const host = { ...node.host, files: { ...node.host.files, list } };
  const { code, report } = await provision(node, { host });
  expect([code, report]).toEqual([0, expect.stringMatching(/^ERR_SYSTEM_CALL: readdir\(.*EIO\n$/)]);
  expect((await provision(node, { host, args: ["--strict"] })).code).toBe(1);
});

test("a flag that is not known is refused", async () => {
  using node = makeNode(0);
  await expect(provision(node, { args: ["--force"] })).rejects.toThrow("--force");
});

function withResource(resource: string): PodAllocation {
  return { ...listed, containers: [{ name: "app", cpus: [], devices: new Map([[resource, [vf]]]) }] };
}
