// STATUS: no for what would fail every pod, and for nothing else.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { runCni, type CniOutcome } from "../../../cni/run.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const chained = { cniVersion: "1.1.0", name: "cluster", type: "virtfn", networks: [{ vlan: 7, ipam }] };
const device = { cniVersion: "1.1.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", ipam };
const ready = { exitCode: 0, json: undefined };

/** As containerd calls it: the pod's variables are there and empty. */
async function ask(host: Host, config: object, path?: string): Promise<TestAnswer> {
  const call = { command: "STATUS", containerId: "", netns: "", ifName: "", args: "" };
  return callCni(host, config, path === undefined ? call : { ...call, path });
}

const readOnly = (node: FakeHost): Host => ({
  ...node.host,
  files: {
    ...node.host.files,
    makeFolder: () => undefined,
    writeAtomic: (path) => {
      throw new SystemCallError("open", path, "EROFS");
    },
  },
});

test.each([chained, device])("a node with VFs and its delegate is ready: %j", async (config) => {
  using node = createFakeHost();
  const before = node.toText();
  expect(await ask(node.host, config)).toMatchObject(ready);
  expect(await ask(node.host, config, "")).toMatchObject(ready);
  expect(node.toText()).toBe(before);
});

test("chained, neither a missing VF nor its delegate nor the disk takes the node out", async () => {
  using node = createFakeHost([]);
  fs.rmSync(`${node.root}/opt/cni/bin/host-local`);
  expect(await ask(readOnly(node), chained)).toMatchObject(ready);
});

test("chained, it looks at the kubelet's files and starts nothing", async () => {
  using node = createFakeHost();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  const { host, calls } = withFault(node.host);
  expect(await ask(host, chained)).toMatchObject(ready);
  expect(calls).toEqual(["files.list", "files.stat", "files.readText"]);
});

test("chained, a node whose kubelet can be asked is ready without the host, if nothing is to be said", async () => {
  using node = createFakeHost();
  const { paths, clock, files } = node.host;
  const asked: string[] = [];
  const reader = {
    paths,
    clock,
    files: {
      readText: (path: string) => files.readText(path),
      list: (path: string) => files.list(path),
      stat: (path: string) => {
        asked.push(path);
        return { kind: "socket" } as const;
      },
    },
  };
  let hosts = 0;
  const createHost = (): Host => {
    hosts += 1;
    return node.host;
  };
  const environment = { CNI_COMMAND: "STATUS" };
  const ask = (config: object, by?: typeof reader): Promise<CniOutcome> =>
    runCni({ environment, stdin: JSON.stringify(config) }, createHost, by);
  expect(await ask(chained, reader)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect([hosts, asked]).toEqual([0, [paths.kubelet.podResourcesSocket]]);
  expect((await ask({ ...chained, networks: [{ vlanQs: 1 }] }, reader)).stderr).toContain("passed over");
  expect(await ask(device, reader)).toMatchObject({ exitCode: 0 });
  expect([hosts, asked.length]).toEqual([2, 1]);
  // Where there is nothing quicker the host is made once, too.
  for (const config of [chained, device]) expect(await ask(config)).toMatchObject({ exitCode: 0 });
  expect(hosts).toBe(4);
});

test("chained, a mistake in a network takes the node out no more than it fails a pod without a VF", async () => {
  using node = createFakeHost();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  const wrong = { ...chained, logLevel: "warning", networks: [{ vlanQs: 1 }] };
  const problem = "networks[0].vlanQs: unknown key, did you mean vlanQoS?";
  const { stderr, ...answer } = await ask(node.host, wrong);
  expect(answer).toMatchObject(ready);
  expect(stderr).toContain(`level=warning msg="passed over in the configuration"`);
  expect(stderr).toContain(problem);
  const add = { ...wrong, prevResult: { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }] } };
  // The first of a boot, which also looks for what earlier boots left, and one after it.
  for (const _ of [1, 2])
    expect(await callCni(node.host, add, { ifName: "eth0", args: podArgs("plain") })).toMatchObject({
      exitCode: 0,
      json: { interfaces: [{ name: "eth0" }] },
    });
  for (const args of [podArgs("web-1"), "K8S_POD_NAME=plain"])
    expect((await callCni(node.host, add, { ifName: "eth0", args })).json).toMatchObject({
      code: 7,
      msg: expect.stringContaining(problem) as string,
    });
});

test("chained, a mistake fails no pod whose devices are no VFs, and each that may have one", async () => {
  using node = createFakeHost();
  const wrong = { ...chained, networks: [{ resource: "sriov/vf", vlanQs: 1 }] };
  const add = { ...wrong, prevResult: { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }] } };
  const exitCodeWith = async (resource: string, id: string): Promise<number> => {
    node.allocate("uid-web-1", { app: [id] }, resource);
    return (await callCni(node.host, add, { ifName: "eth0", args: podArgs("web-1") })).exitCode;
  };
  // Of another bus; a PCI device without a PF.
  expect(await exitCodeWith("nvidia.com/gpu", "GPU-4f1c")).toBe(0);
  expect(await exitCodeWith("amd.com/gpu", "0000:3b:00.0")).toBe(0);
  // Of the network's resource; a VF; one that vanished.
  expect(await exitCodeWith("sriov/vf", "mlx5_core.sf.4")).toBe(1);
  expect(await exitCodeWith("other/vf", "0000:3b:02.0")).toBe(1);
  expect(await exitCodeWith("other/vf", "0000:3c:02.0")).toBe(1);
});

test("chained, records that cannot be listed fail no pod without a VF, as STATUS says", async () => {
  using node = createFakeHost();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  const broken: Host = {
    ...node.host,
    files: {
      ...node.host.files,
      list: (path) => {
        if (path === node.host.paths.attachments) throw new SystemCallError("scandir", path, "EIO");
        return node.host.files.list(path);
      },
    },
  };
  expect(await ask(broken, chained)).toMatchObject(ready);
  const add = { ...chained, prevResult: { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }] } };
  const answer = await callCni(broken, add, { ifName: "eth0", args: podArgs("plain") });
  expect(answer).toMatchObject({ exitCode: 0 });
  expect(answer.stderr).toContain("EIO");
});

test("chained, a mark of the boot that cannot be read fails no pod without a VF", async () => {
  using node = createFakeHost();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  node.host.files.makeFolder(node.host.paths.releasedBoot);
  expect(await ask(node.host, chained)).toMatchObject(ready);
  const add = { ...chained, prevResult: { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }] } };
  const answer = await callCni(node.host, add, { ifName: "eth0", args: podArgs("plain") });
  expect(answer).toMatchObject({ exitCode: 0 });
  expect(answer.stderr).toContain("EISDIR");
});

test.each(["deviceID", "PciBusID", "pf"])(
  "a mistake beside %s is error 7: it would fail every pod",
  async (key) => {
    using node = createFakeHost();
    for (const wrong of [{ [key]: 5 }, { [key]: "ens1f0", vlanQs: 1 }]) {
      const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", ...wrong };
      expect((await ask(node.host, config)).json).toMatchObject({ code: 7 });
      const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }] };
      const args = podArgs("plain");
      expect((await callCni(node.host, { ...config, prevResult }, { args })).json).toMatchObject({ code: 7 });
    }
  },
);

test("a checkpoint that cannot be read, and nobody else to ask, is error 50 with the reason", async () => {
  using node = createFakeHost();
  node.host.files.writeAtomic(node.host.paths.kubelet.checkpoint, "{");
  const { json } = await ask(node.host, chained);
  expect(json).toMatchObject({
    code: 50,
    msg: expect.stringMatching(
      /^ERR_CNI_NOT_READY: network cluster cannot take a pod now: .*PodResources/,
    ) as string,
  });
});

test("where every pod gets a VF, the delegate and the disk count", async () => {
  using node = createFakeHost();
  expect((await ask(readOnly(node), device)).json).toMatchObject({
    code: 50,
    msg: expect.stringContaining("EROFS") as string,
  });
  fs.rmSync(`${node.root}/opt/cni/bin/host-local`);
  expect((await ask(node.host, device)).json).toMatchObject({
    code: 50,
    msg: expect.stringContaining("expected an executable host-local") as string,
  });
});

/** The runtime's configuration has these entries, as `file` of its folder. */
function writeList(node: FakeHost, plugins: readonly object[], file = "10-cluster.conflist"): void {
  const { files, paths } = node.host;
  files.makeFolder(paths.cniConfigs);
  files.writeAtomic(`${paths.cniConfigs}/${file}`, JSON.stringify({ ...network, plugins }));
}
const network = { cniVersion: "1.1.0", name: "cluster" };
const entry = { type: "virtfn", ipam };
const other = { type: "ptp" };

test("first of the runtime's list, where every pod gets a VF, the delegate, the disk and a mistake count", async () => {
  using node = createFakeHost();
  writeList(node, [entry, other]);
  const config = { ...network, ...entry };
  const before = node.toText();
  expect(await ask(node.host, config)).toMatchObject(ready);
  expect(node.toText()).toBe(before);
  expect((await ask(readOnly(node), config)).json).toMatchObject({
    code: 50,
    msg: expect.stringContaining("EROFS") as string,
  });
  expect((await ask(node.host, { ...config, vlanQs: 1 })).json).toMatchObject({ code: 7 });
  fs.rmSync(`${node.root}/opt/cni/bin/host-local`);
  expect((await ask(node.host, config)).json).toMatchObject({
    code: 50,
    msg: expect.stringContaining("expected an executable host-local") as string,
  });
});

test("first of the list, with several networks, one that has its addresses is enough: some pod may start", async () => {
  using node = createFakeHost();
  fs.rmSync(`${node.root}/opt/cni/bin/host-local`);
  const networks = [{ ipam }, { resource: "acme/vf", ips: [] }];
  writeList(node, [{ type: "virtfn", networks }]);
  expect(await ask(node.host, { ...network, type: "virtfn", networks })).toMatchObject(ready);
  const both = [{ ipam }, { resource: "acme/vf", ipam }];
  expect((await ask(node.host, { ...network, type: "virtfn", networks: both })).json).toMatchObject({
    code: 50,
  });
});

test.each<[string, (node: FakeHost) => void]>([
  ["stands behind another", (node) => writeList(node, [other, entry])],
  [
    "is first in a list that another file comes before",
    (node) => {
      writeList(node, [entry]);
      writeList(node, [other], "05-main.conf");
    },
  ],
  [
    "is first in the list of another network",
    (node) => {
      writeList(node, [entry]);
      const path = `${node.host.paths.cniConfigs}/10-cluster.conflist`;
      node.host.files.writeAtomic(path, JSON.stringify({ ...network, name: "storage", plugins: [entry] }));
    },
  ],
  ...[
    "",
    "{",
    "null",
    "[]",
    '{"name":"cluster"}',
    '{"name":"cluster","plugins":{}}',
    '{"name":"cluster","plugins":[null]}',
  ].map((text): [string, (node: FakeHost) => void] => [
    `has a list that says ${JSON.stringify(text)}`,
    (node) => {
      writeList(node, [entry]);
      node.host.files.writeAtomic(`${node.host.paths.cniConfigs}/10-cluster.conflist`, text);
    },
  ]),
  [
    "has a folder in the place of its list",
    (node) => node.host.files.makeFolder(`${node.host.paths.cniConfigs}/1.conflist`),
  ],
])("an entry that %s takes no node out for its delegate, the disk or a mistake", async (_which, prepare) => {
  using node = createFakeHost();
  prepare(node);
  fs.rmSync(`${node.root}/opt/cni/bin/host-local`);
  expect(await ask(readOnly(node), { ...network, ...entry, vlanQs: 1 })).toMatchObject(ready);
});

test.each([
  [11, 50],
  [50, 50],
  [51, 51],
  [999, 50],
  [4, 0],
])("a delegate's own error %i becomes %i", async (code, expected) => {
  using node = createFakeHost();
  const exec: Host["exec"] = {
    run: async () => ({ exitCode: 1, stdout: JSON.stringify({ code, msg: "no address left" }), stderr: "" }),
  };
  expect((await ask({ ...node.host, exec }, device)).json?.["code"] ?? 0).toBe(expected);
});
