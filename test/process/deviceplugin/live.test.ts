// The device plugin as a process: follows the node, answers Allocate, tells how it is.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createPaths } from "../../../host/paths.ts";
import { readAdvertisedPools } from "../../../sriov/advertised-pools.ts";
import { type Machine, machines } from "../../fixtures/machines.ts";
import { DevicePluginProcess, type DevicePluginProcessOptions } from "../../support/deviceplugin-process.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";
import { findFreePort } from "../../support/free-port.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

const resource = "sriov/vf";
const pf = "0000:01:00.0";

test("a change of the VF count is at the kubelet at once, on the same stream", async () => {
  await using node = await startNode(machines.igb);
  await node.kubelet.waitForDevices(resource, 7);
  for (const count of [3, 0, 7]) {
    node.tree.setNumVfs(pf, count);
    node.plugin.sendUevent();
    expect(await node.kubelet.waitForDevices(resource, count)).toBeLessThan(beforeNextLookMs);
  }
  expect(node.kubelet.registrations).toBe(1);
});

test("a VF that loses its network driver leaves the list, and comes back with it", async () => {
  await using node = await startNode(machines.igb);
  await node.kubelet.waitForDevices(resource, 7);
  node.tree.setDriver("0000:01:10.2", "vfio-pci");
  node.plugin.sendUevent();
  await node.kubelet.waitForDevices(resource, 6);
  expect(node.kubelet.devices(resource)?.map(({ ID }) => ID)).not.toContain("0000:01:10.2");
  node.tree.setDriver("0000:01:10.2", "igbvf");
  node.plugin.sendUevent();
  await node.kubelet.waitForDevices(resource, 7);
});

test("a node without any VF offers an empty list, and the VFs when they come", async () => {
  await using node = await startNode({
    ...machines.igb,
    pfs: machines.igb.pfs.map((one) => ({ ...one, numVfs: 0 })),
  });
  await node.kubelet.waitForDevices(resource, 0);
  node.tree.setNumVfs(pf, 2);
  node.plugin.sendUevent();
  expect(await node.kubelet.waitForDevices(resource, 2)).toBeLessThan(beforeNextLookMs);
});

test("Allocate gives the addresses and their JSON", async () => {
  await using node = await startNode(machines.igb);
  await node.kubelet.waitForDevices(resource, 7);
  const answer = await node.kubelet.allocate(resource, ["0000:01:10.2", "0000:01:10.0"]);
  expect(answer.containerResponses.map(({ envs }) => envs)).toEqual([
    {
      PCIDEVICE_SRIOV_VF: "0000:01:10.2,0000:01:10.0",
      PCIDEVICE_SRIOV_VF_INFO:
        '{"0000:01:10.2":{"generic":{"deviceID":"0000:01:10.2"}},"0000:01:10.0":{"generic":{"deviceID":"0000:01:10.0"}}}',
    },
  ]);
});

test("Allocate leaves a device-info file for Multus", async () => {
  await using node = await startNode(machines.igb);
  await node.kubelet.waitForDevices(resource, 7);
  await node.kubelet.allocate(resource, ["0000:01:10.2"]);
  const folder = createPaths(node.tree.root).deviceInfo;
  expect(fs.readdirSync(folder)).toEqual(["sriov-vf-0000:01:10.2-device.json"]);
});

test("Allocate refuses with the reason, also what vanished since the last scan", async () => {
  await using node = await startNode(machines.igb);
  await node.kubelet.waitForDevices(resource, 7);
  await expect(node.kubelet.allocate(resource, ["0000:99:10.0"])).rejects.toThrow(
    "FAILED_PRECONDITION: allocating 0000:99:10.0 of sriov/vf: no such device is offered",
  );
  node.tree.setDriver("0000:01:10.0", "vfio-pci");
  await expect(node.kubelet.allocate(resource, ["0000:01:10.0"])).rejects.toThrow(
    "expected the driver igbvf, got vfio-pci",
  );
  node.tree.setNumVfs(pf, 0);
  await expect(node.kubelet.allocate(resource, ["0000:01:10.2"])).rejects.toThrow("gone from the PCI bus");
});

test("a folder of records that cannot be made keeps no device from the kubelet", async () => {
  await using node = await startNode(machines.igb, { isKubeletUp: false });
  await node.plugin.end("SIGKILL");
  fs.rmSync(join(node.tree.root, "var/lib/virtfn"), { recursive: true, force: true });
  fs.writeFileSync(join(node.tree.root, "var/lib/virtfn"), "");
  await node.kubelet.start();
  await using _again = new DevicePluginProcess(node.tree.root);
  await node.kubelet.waitForDevices(resource, 7);
  expect(node.kubelet.devices(resource)).toHaveLength(7);
});

test("what is offered is written down before the kubelet knows it, and stays when the plugin ends", async () => {
  await using node = await startNode(machines.igb, { isKubeletUp: false });
  const paths = createPaths(node.tree.root);
  await node.plugin.waitForLine("serving the plugin's socket");
  expect(readAdvertisedPools({ ...node.tree.host, paths })?.get(resource)).toHaveLength(7);
  await node.plugin.end("SIGTERM");
  expect(readAdvertisedPools({ ...node.tree.host, paths })?.get(resource)).toHaveLength(7);
});

test.each([
  { name: "removed it", spoil: (path: string) => fs.rmSync(path) },
  { name: "spoilt it", spoil: (path: string) => fs.writeFileSync(path, "{") },
  {
    name: "put a pipe in its place",
    spoil: (path: string) => {
      fs.rmSync(path);
      execFileSync("mkfifo", [path]);
    },
  },
  { name: "changed it", spoil: (path: string) => fs.writeFileSync(path, '{"format": "1.0", "pools": {}}') },
])("what is offered is written down again where somebody $name", async ({ spoil }) => {
  await using node = await startNode(machines.igb);
  await node.kubelet.waitForDevices(resource, 7);
  const { pools } = createPaths(node.tree.root);
  const text = fs.readFileSync(pools, "utf8");
  spoil(pools);
  node.plugin.sendUevent();
  await waitFor("the list", () => isFile(pools) && fs.readFileSync(pools, "utf8") === text);
  expect(JSON.parse(text)).toMatchObject({ pools: { [resource]: { length: 7 } } });
});

function isFile(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

test("it is ready while the kubelet holds its list, says why not otherwise, and never exits for that", async () => {
  const port = await findFreePort();
  await using node = await startNode(machines.igb, { args: ["--listen", `127.0.0.1:${port}`] });
  await node.kubelet.waitForDevices(resource, 7);
  expect(await get(port, "/readyz")).toEqual([200, "ok\n"]);
  node.kubelet.stop();
  await waitFor("not ready", async () => (await get(port, "/readyz"))[0] === 503);
  expect((await get(port, "/readyz"))[1]).toMatch(/^not ready: sriov\/vf: /u);
  expect(await get(port, "/healthz")).toEqual([200, "ok\n"]);
  await node.kubelet.start();
  await node.kubelet.waitForDevices(resource, 7);
  const metrics = (await get(port, "/metrics"))[1];
  expect(metrics).toContain('virtfn_devices{resource="sriov/vf",state="free",reason=""} 7');
  expect(metrics).toContain('virtfn_registrations_total{resource="sriov/vf"} 2');
});

test("an API server that cannot be asked is a warning, and devices are offered all the same", async () => {
  await using node = await startNode(machines.igb, { args: ["--listen", "off", "--report-node", "n1"] });
  await node.kubelet.waitForDevices(resource, 7);
  const { level, error } = await node.plugin.waitForLine("cannot tell the API server about the node");
  expect({ level, error }).toMatchObject({ level: "warn", error: { code: "ERR_CLUSTER" } });
  node.tree.setNumVfs(pf, 3);
  node.plugin.sendUevent();
  await node.kubelet.waitForDevices(resource, 3);
  expect(await node.plugin.end("SIGTERM")).toBe(0);
});

test("a taken metrics port is an error line, and devices are offered all the same", async () => {
  using other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  await using node = await startNode(machines.igb, { args: ["--listen", `127.0.0.1:${other.port}`] });
  expect((await node.plugin.waitForLine("cannot serve health and metrics")).level).toBe("error");
  await node.kubelet.waitForDevices(resource, 7);
});

test("without any capability and with a read-only root everything works", async () => {
  await using node = await startNode(machines.igb, { isConfined: true });
  await node.kubelet.waitForDevices(resource, 7);
  expect(fs.readFileSync(`/proc/${node.plugin.pid}/status`, "utf8")).toMatch(/^CapEff:\s*0+$/mu);
  expect(fs.readFileSync(`/proc/${node.plugin.pid}/mounts`, "utf8")).toMatch(/^\S+ \/ \S+ ro[, ]/mu);
  node.tree.setNumVfs(pf, 3);
  node.plugin.sendUevent();
  await node.kubelet.waitForDevices(resource, 3);
  await node.kubelet.allocate(resource, ["0000:01:10.0"]);
  expect(node.plugin.lines.filter(({ level }) => level === "error")).toEqual([]);
});

interface Node extends AsyncDisposable {
  readonly tree: FixtureTree;
  readonly kubelet: FakeKubelet;
  readonly plugin: DevicePluginProcess;
}

async function startNode(
  machine: Machine,
  { isKubeletUp = true, ...options }: DevicePluginProcessOptions & { readonly isKubeletUp?: boolean } = {},
): Promise<Node> {
  const tree = createFixtureTree(machine);
  fs.mkdirSync(join(tree.root, "var/lib/kubelet/device-plugins"), { recursive: true });
  const kubelet = new FakeKubelet(tree.root);
  if (isKubeletUp) await kubelet.start();
  const plugin = new DevicePluginProcess(tree.root, options);
  return {
    tree,
    kubelet,
    plugin,
    [Symbol.asyncDispose]: async () => {
      await plugin.end("SIGKILL");
      kubelet.stop();
      tree[Symbol.dispose]();
    },
  };
}

async function get(port: number, path: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}
