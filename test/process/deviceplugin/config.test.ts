// The resource configuration of a running device plugin: several resources, changes in force within 2 s, bad ones refused.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

import { type Machine, machines } from "../../fixtures/machines.ts";
import { readAdvertisement } from "../../../sriov/advertised-pools.ts";
import { DevicePluginProcess } from "../../support/deviceplugin-process.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";
import { findFreePort } from "../../support/free-port.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

const place = "etc/virtfn/deviceplugin/config.yaml";
const twoResources = `
resourceList:
  - resourceName: front
    selectors: {pfNames: ["ens1f0#0-2"]}
  - resourceName: rest
    resourcePrefix: example.com
    selectors: {vendors: ["8086"]}
`;

test("each resource of the configuration has its devices, and the first that selects one has it", async () => {
  await using node = await startNode(machines.igb, twoResources);
  await node.kubelet.waitForDevices("sriov/front", 3);
  await node.kubelet.waitForDevices("example.com/rest", 4);
  expect(node.kubelet.devices("sriov/vf")).toBeUndefined();
});

test("a file that is replaced is in force at once, and only the changed resource is sent", async () => {
  await using node = await startNode(machines.igb, twoResources);
  await node.kubelet.waitForDevices("sriov/front", 3);
  await node.kubelet.waitForDevices("example.com/rest", 4);
  const before = node.kubelet.messages("example.com/rest");
  node.write(
    twoResources.replace("#0-2", "#0-2,5").replace('["8086"]', '["8086"], pfNames: ["ens1f0#3-4,6"]'),
  );
  expect(await node.kubelet.waitForDevices("sriov/front", 4)).toBeLessThan(beforeNextLookMs);
  await node.kubelet.waitForDevices("example.com/rest", 3);
  node.write(twoResources.replace("#0-2", "#0-1").replace('["8086"]', '["8086"], pfNames: ["ens1f0#3-4,6"]'));
  await node.kubelet.waitForDevices("sriov/front", 2);
  expect(node.kubelet.messages("example.com/rest")).toBe(before + 1);
  expect(node.kubelet.registrations).toBe(2);
});

test("the swap of a ConfigMap's link is in force at once; a resource that went is given up", async () => {
  await using node = await startNode(machines.igb, undefined);
  node.mountConfigMap(twoResources);
  await using _plugin = node.start();
  await node.kubelet.waitForDevices("sriov/front", 3);
  await node.kubelet.waitForDevices("example.com/rest", 4);
  node.mountConfigMap('{"resourceList": [{"resourceName": "front"}]}');
  expect(await node.kubelet.waitForDevices("sriov/front", 7)).toBeLessThan(beforeNextLookMs);
  await waitFor("the end of example.com/rest", () => node.kubelet.devices("example.com/rest") === undefined);
});

test("a bad configuration changes nothing, and log, metric and readiness say so until it is good", async () => {
  const port = await findFreePort();
  await using node = await startNode(machines.igb, twoResources, ["--listen", `127.0.0.1:${port}`]);
  await node.kubelet.waitForDevices("sriov/front", 3);
  await node.kubelet.waitForDevices("example.com/rest", 4);
  node.write(twoResources.replace("vendors", "vendor"));
  const line = await node.plugin.waitForLine("the configuration is not usable");
  expect(line["problem"]).toMatch(
    /line 7: resourceList\[1\]\.selectors\.vendor: unknown key, did you mean vendors\?$/u,
  );
  expect(await get(port, "/readyz")).toMatch(/^ok\nconfiguration: 1 problem in .*config\.yaml: line 7/u);
  expect(await get(port, "/metrics")).toContain("virtfn_resource_config_valid 0");
  expect(node.kubelet.devices("example.com/rest")).toHaveLength(4);
  node.write(twoResources.replace("#0-2", "#0-3"));
  await node.kubelet.waitForDevices("sriov/front", 4);
  expect(await get(port, "/readyz")).toBe("ok\n");
  expect(await get(port, "/metrics")).toContain("virtfn_resource_config_valid 1");
});

test("what no parser can take, and a pipe in the file's place, leave the plugin and its devices as they are", async () => {
  await using node = await startNode(machines.igb, twoResources);
  await node.kubelet.waitForDevices("sriov/front", 3);
  const refusals = (): number =>
    node.plugin.lines.filter(({ msg }) => msg === "the configuration is not usable").length;
  const growing = [1, 2, 3, 4, 5].map((at) => `a${at}: &a${at} [${`*a${at - 1},`.repeat(9)}]`);
  for (const text of [`a0: &a0 [x]\n${growing.join("\n")}`, "resourceList: &a [*a]", "[".repeat(20_000)]) {
    const before = refusals();
    node.write(text);
    await waitFor(`the refusal of ${text.slice(0, 20)}`, () => refusals() > before);
  }
  const file = join(node.tree.root, place);
  fs.rmSync(file);
  execFileSync("mkfifo", [file]);
  await waitFor("the refusal of the pipe", () =>
    node.plugin.lines.some(
      ({ problem }) => problem === `read(${file}, which is no regular file) failed: EINVAL`,
    ),
  );
  expect(node.kubelet.devices("sriov/front")).toHaveLength(3);
  node.write(twoResources.replace("#0-2", "#0-3"));
  await node.kubelet.waitForDevices("sriov/front", 4);
  expect(node.kubelet.registrations).toBe(2);
});

const limitedResource = `
resourceList:
  - resourceName: front
    limits: {vlans: [100]}
    tuning: {policy: none}
    selectors: {pfNames: ["ens1f0#0-2"]}
  - resourceName: rest
`;

test("limits and tuning of a resource are written down for the CNI plugin and tuning, the kubelet is not told of them", async () => {
  await using node = await startNode(machines.igb, limitedResource);
  await node.kubelet.waitForDevices("sriov/front", 3);
  const rulesOf = (): string => JSON.stringify(readAdvertisement(node.tree.host)?.rules.get("sriov/front"));
  expect(JSON.parse(rulesOf())).toEqual({
    limits: { vlans: [{ first: 100, last: 100 }] },
    tuning: { policy: "none" },
  });
  const before = node.kubelet.messages("sriov/front");
  node.write(limitedResource.replace("[100]", "[200]"));
  await waitFor("the new limit", () => rulesOf().includes('"first":200'));
  expect(node.kubelet.messages("sriov/front")).toBe(before);
});

test("a resource whose limits cannot be written down is not offered until they can, the others are", async () => {
  const port = await findFreePort();
  await using node = await startNode(machines.igb, undefined);
  node.write(limitedResource);
  const folder = dirname(node.tree.host.paths.pools);
  fs.mkdirSync(folder, { recursive: true });
  // One inode is the folder itself.
  execFileSync("mount", ["-t", "tmpfs", "-o", "nr_inodes=1", "none", folder]);
  try {
    await using plugin = node.start(["--listen", `127.0.0.1:${port}`]);
    await node.kubelet.waitForDevices("sriov/rest", 4);
    await plugin.waitForLine("cannot write down what is offered");
    expect(await get(port, "/readyz")).toMatch(/^not ready: sriov\/front: its limits cannot be written to /u);
    expect(node.kubelet.devices("sriov/front")).toBeUndefined();
    // It is tried again, and told once.
    await waitFor("three looks", async () => (await countScans(port)) >= 3);
    const refusals = plugin.lines.filter(({ msg }) => msg === "cannot write down what is offered");
    expect(refusals).toHaveLength(1);
    execFileSync("mount", ["-o", "remount,nr_inodes=1000", folder]);
    await node.kubelet.waitForDevices("sriov/front", 3);
  } finally {
    execFileSync("umount", [folder]);
  }
});

test("a device plugin that can write nothing offers what has its limits written down, and tells of new ones", async () => {
  const port = await findFreePort();
  await using node = await startNode(machines.igb, undefined);
  node.write(limitedResource);
  const folder = dirname(node.tree.host.paths.pools);
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "none", folder]);
  try {
    const first = node.start();
    await node.kubelet.waitForDevices("sriov/front", 3);
    await first.end("SIGTERM");
    await waitFor("the end of sriov/front", () => node.kubelet.devices("sriov/front") === undefined);
    execFileSync("mount", ["-o", "remount,ro", folder]);
    const renamed = limitedResource.replace("resourceName: rest", "resourceName: others");
    node.write(renamed);
    await using plugin = node.start(["--listen", `127.0.0.1:${port}`]);
    await node.kubelet.waitForDevices("sriov/front", 3);
    await plugin.waitForLine("cannot write down what is offered");
    await waitFor("readiness", async () => (await get(port, "/readyz")) === "ok\n");
    node.write(renamed.replace("[100]", "[200]"));
    const told = /^not ready: sriov\/front: its limits cannot be written to /u;
    await waitFor("the unwritten limit", async () => told.test(await get(port, "/readyz")));
    expect(node.kubelet.devices("sriov/front")).toHaveLength(3);
    execFileSync("mount", ["-o", "remount,rw", folder]);
    await waitFor("readiness", async () => (await get(port, "/readyz")) === "ok\n");
    const limits = readAdvertisement(node.tree.host)?.rules.get("sriov/front")?.limits;
    expect(limits?.vlans).toEqual([{ first: 200, last: 200 }]);
  } finally {
    execFileSync("umount", ["--lazy", folder]);
  }
});

async function countScans(port: number): Promise<number> {
  const [, count] = /^virtfn_scan_duration_seconds_count (\d+)$/mu.exec(await get(port, "/metrics")) ?? [];
  return Number(count ?? 0);
}

test("with a bad configuration at its start it offers nothing and is not ready, until the file is corrected", async () => {
  const port = await findFreePort();
  await using node = await startNode(machines.igb, "resourceList: 7", ["--listen", `127.0.0.1:${port}`]);
  await node.plugin.waitForLine("the configuration is not usable");
  expect(await get(port, "/readyz")).toMatch(
    /^not ready: no configuration is in force\nconfiguration: 1 problem/u,
  );
  node.write(twoResources);
  await node.kubelet.waitForDevices("sriov/front", 3);
});

test("a file that --config-file names must be there; the prefix is that of --resource-prefix", async () => {
  await using node = await startNode(machines.igb, undefined);
  const file = join(node.tree.root, "etc/pcidp/config.json");
  fs.mkdirSync(dirname(file), { recursive: true });
  await using plugin = node.start([
    "--listen",
    "off",
    "-config-file",
    file,
    "--resource-prefix",
    "intel.com",
  ]);
  expect((await plugin.waitForLine("the configuration is not usable"))["problem"]).toBe(`${file} is missing`);
  fs.writeFileSync(file, '{"resourceList": [{"resourceName": "nic", "selectors": {"vendors": ["8086"]}}]}');
  await node.kubelet.waitForDevices("intel.com/nic", 7);
});

interface Node extends AsyncDisposable {
  readonly tree: FixtureTree;
  readonly kubelet: FakeKubelet;
  readonly plugin: DevicePluginProcess;
  readonly start: (args?: readonly string[]) => DevicePluginProcess;
  readonly write: (config: string) => void;
  /** As the kubelet does it: a new folder, and the link to it replaced. */
  readonly mountConfigMap: (config: string) => void;
}

/** Without a configuration the plugin is not started yet. */
async function startNode(
  machine: Machine,
  config: string | undefined,
  args?: readonly string[],
): Promise<Node> {
  const tree = createFixtureTree(machine);
  fs.mkdirSync(join(tree.root, "var/lib/kubelet/device-plugins"), { recursive: true });
  const kubelet = new FakeKubelet(tree.root);
  await kubelet.start();
  const file = join(tree.root, place);
  const folder = dirname(file);
  fs.mkdirSync(folder, { recursive: true });
  let versions = 0;
  const write = (text: string): void => {
    fs.writeFileSync(`${file}.new`, text);
    fs.renameSync(`${file}.new`, file);
  };
  const start = (flags = args): DevicePluginProcess =>
    new DevicePluginProcess(tree.root, flags === undefined ? {} : { args: flags });
  if (config !== undefined) write(config);
  const plugin = config === undefined ? undefined : start();
  return {
    tree,
    kubelet,
    get plugin() {
      if (plugin === undefined) throw new Error("the plugin was not started");
      return plugin;
    },
    start,
    write,
    mountConfigMap: (text) => {
      versions += 1;
      const version = `..2026_${versions}`;
      fs.mkdirSync(join(folder, version));
      fs.writeFileSync(join(folder, version, "config.yaml"), text);
      fs.symlinkSync(version, join(folder, "..data_tmp"));
      fs.renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
      if (versions === 1) fs.symlinkSync("..data/config.yaml", file);
    },
    [Symbol.asyncDispose]: async () => {
      await plugin?.end("SIGKILL");
      kubelet.stop();
      tree[Symbol.dispose]();
    },
  };
}

async function get(port: number, path: string): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}
