// The device plugin as a process against a kubelet with its habits: whatever happens, the devices are there again.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { machines } from "../../fixtures/machines.ts";
import { DevicePluginProcess } from "../../support/deviceplugin-process.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { findFreePort } from "../../support/free-port.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

const resource = "sriov/vf";

describe.each(["plugins_registry", "device-plugins"])("through %s", (way) => {
  test("all VFs of the machine are offered with their NUMA node, soon after the start", async () => {
    await using node = await startNode(way);
    expect(await node.kubelet.waitForDevices(resource, 7)).toBeLessThan(beforeNextLookMs);
    expect(node.kubelet.devices(resource)?.[0]).toEqual({
      ID: "0000:01:10.0",
      health: "Healthy",
      topology: { nodes: [{ ID: 0 }] },
    });
  });

  test("a kubelet that starts after the plugin gets the devices", async () => {
    await using node = await startNode(way, { isKubeletUp: false });
    await node.plugin.waitForLine("serving the plugin's socket");
    await node.kubelet.start();
    expect(await node.kubelet.waitForDevices(resource, 7)).toBeLessThan(beforeNextLookMs);
  });

  test("a kubelet that is restarted gets the devices again", async () => {
    await using node = await startNode(way);
    await node.kubelet.waitForDevices(resource, 7);
    for (const pauseMs of [0, 1_500]) {
      node.kubelet.stop();
      await Bun.sleep(pauseMs);
      await node.kubelet.start();
      expect(await node.kubelet.waitForDevices(resource, 7)).toBeLessThan(beforeNextLookMs);
    }
  });

  test("after many restarts of the kubelet in a row a cancelled stream is registered as soon as after one", async () => {
    await using node = await startNode(way);
    for (let restart = 0; restart < 8; restart += 1) {
      await node.kubelet.waitForDevices(resource, 7);
      node.kubelet.stop();
      await node.kubelet.start();
    }
    await node.kubelet.waitForDevices(resource, 7);
    node.kubelet.cancelStream(resource);
    await node.kubelet.waitForDevices(resource, 7);
    expect(node.kubelet.devices(resource)).toHaveLength(7);
  });

  test("a removed socket is bound and registered again", async () => {
    await using node = await startNode(way);
    await node.kubelet.waitForDevices(resource, 7);
    const { registrations } = node.kubelet;
    fs.unlinkSync(node.socket);
    await node.waitForRegistrationsAfter(registrations);
    await node.kubelet.waitForDevices(resource, 7);
    expect(fs.lstatSync(node.socket).isSocket()).toBe(true);
  });

  test("a cancelled stream is registered again", async () => {
    await using node = await startNode(way);
    await node.kubelet.waitForDevices(resource, 7);
    node.kubelet.cancelStream(resource);
    expect(await node.kubelet.waitForDevices(resource, 7)).toBeLessThan(beforeNextLookMs);
  });

  test("a plugin that was killed and started again offers the devices again", async () => {
    await using node = await startNode(way);
    await node.kubelet.waitForDevices(resource, 7);
    await node.plugin.end("SIGKILL");
    expect(fs.existsSync(node.socket)).toBe(true);
    await using _again = new DevicePluginProcess(node.root, { way });
    const { registrations } = node.kubelet;
    await node.waitForRegistrationsAfter(registrations);
    expect(await node.kubelet.waitForDevices(resource, 7)).toBeLessThan(beforeNextLookMs);
  });

  test("a plugin that is ended removes its socket and exits with 0", async () => {
    await using node = await startNode(way);
    await node.kubelet.waitForDevices(resource, 7);
    expect(await node.plugin.end("SIGTERM")).toBe(0);
    expect(fs.existsSync(node.socket)).toBe(false);
  });

  test("a second plugin of the node waits until the first is gone", async () => {
    await using node = await startNode(way);
    await node.kubelet.waitForDevices(resource, 7);
    const port = await findFreePort();
    await using second = new DevicePluginProcess(node.root, { way, args: ["--listen", `127.0.0.1:${port}`] });
    await second.waitForLine("cannot become the only device plugin of the node");
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain(`another device plugin of the node still runs: `);
    expect(node.kubelet.registrations).toBe(1);
    await node.plugin.end("SIGTERM");
    await second.waitForLine("the kubelet holds the device list");
    await node.kubelet.waitForDevices(resource, 7);
  });
});

test("a plugin for whose lock /run has no space offers nothing until it has the lock", async () => {
  const tree = createFixtureTree(machines.igb);
  const run = join(tree.root, "run/virtfn");
  fs.mkdirSync(run, { recursive: true });
  fs.mkdirSync(join(tree.root, "var/lib/kubelet/plugins_registry"), { recursive: true });
  // One inode is the folder itself.
  execFileSync("mount", ["-t", "tmpfs", "-o", "nr_inodes=1", "none", run]);
  const kubelet = new FakeKubelet(tree.root);
  try {
    await kubelet.start();
    const port = await findFreePort();
    await using plugin = new DevicePluginProcess(tree.root, { args: ["--listen", `127.0.0.1:${port}`] });
    await plugin.waitForLine("cannot become the only device plugin of the node");
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toMatch(/cannot lock out another device plugin of the node: .*ENOSPC/);
    expect(kubelet.registrations).toBe(0);
    execFileSync("mount", ["-o", "remount,nr_inodes=1000", run]);
    await kubelet.waitForDevices(resource, 7, 20_000);
    const refusals = plugin.lines.filter(({ msg }) => msg.startsWith("cannot become"));
    expect(refusals).toHaveLength(1);
  } finally {
    kubelet.stop();
    execFileSync("umount", [run]);
    tree[Symbol.dispose]();
  }
});

interface Node extends AsyncDisposable {
  readonly root: string;
  readonly kubelet: FakeKubelet;
  readonly plugin: DevicePluginProcess;
  readonly socket: string;
  waitForRegistrationsAfter(count: number): Promise<void>;
}

/** A machine with seven VFs, a kubelet and the device plugin; at the end no registration may have come on a live connection. */
async function startNode(way: string, { isKubeletUp = true } = {}): Promise<Node> {
  const tree = createFixtureTree(machines.igb);
  const folder = join(tree.root, "var/lib/kubelet", way);
  fs.mkdirSync(folder, { recursive: true });
  const kubelet = new FakeKubelet(tree.root);
  if (isKubeletUp) await kubelet.start();
  const plugin = new DevicePluginProcess(tree.root, { way });
  return {
    root: tree.root,
    kubelet,
    plugin,
    socket: join(folder, "sriov_vf.sock"),
    waitForRegistrationsAfter: (count) =>
      waitFor(`registration ${count + 1}`, () => kubelet.registrations > count),
    [Symbol.asyncDispose]: async () => {
      await plugin.end("SIGKILL");
      kubelet.stop();
      tree[Symbol.dispose]();
      expect(kubelet.liveRegistrations).toBe(0);
    },
  };
}
