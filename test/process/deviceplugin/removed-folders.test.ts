// A folder of the node that is removed below a running device plugin: its container still has what was removed.
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { machines } from "../../fixtures/machines.ts";
import { DevicePluginProcess } from "../../support/deviceplugin-process.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";

test("it ends with 1 where the node's folder was removed below its mount, and the next start offers by the new one", async () => {
  using tree = createFixtureTree(machines.igb);
  fs.mkdirSync(join(tree.root, "var/lib/kubelet/plugins_registry"), { recursive: true });
  const [ofNode, mounted] = [join(tree.root, "of-node"), join(tree.root, "run/virtfn")];
  for (const folder of [ofNode, mounted]) fs.mkdirSync(folder, { recursive: true });
  const pools = join(ofNode, "deviceplugin/pools.json");
  const kubelet = new FakeKubelet(tree.root);
  await kubelet.start();
  using _kubelet = { [Symbol.dispose]: () => kubelet.stop() };
  execFileSync("mount", ["--bind", ofNode, mounted]);
  try {
    await using plugin = new DevicePluginProcess(tree.root);
    await kubelet.waitForDevices("sriov/vf", 7);
    const written = fs.readFileSync(pools, "utf8");
    fs.rmSync(ofNode, { recursive: true });
    expect(await plugin.waitForEnd()).toBe(1);
    expect(JSON.stringify(plugin.lines.at(-1))).toContain("ERR_FOLDER_REMOVED");
    fs.mkdirSync(ofNode);
    execFileSync("umount", [mounted]);
    execFileSync("mount", ["--bind", ofNode, mounted]);
    await using _next = new DevicePluginProcess(tree.root);
    await kubelet.waitForDevices("sriov/vf", 7);
    expect(fs.readFileSync(pools, "utf8")).toBe(written);
  } finally {
    execFileSync("umount", ["--lazy", mounted]);
  }
});
