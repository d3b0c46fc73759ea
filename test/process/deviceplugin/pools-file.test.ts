// pools.json of a running device plugin: what somebody removed or spoilt is there again before the next look.
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

import { machines } from "../../fixtures/machines.ts";
import { DevicePluginProcess } from "../../support/deviceplugin-process.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

test("what is removed or spoilt is written anew at once, with the limits in it", async () => {
  using tree = createFixtureTree(machines.igb);
  fs.mkdirSync(join(tree.root, "var/lib/kubelet/plugins_registry"), { recursive: true });
  const config = join(tree.root, "etc/virtfn/deviceplugin/config.yaml");
  fs.mkdirSync(dirname(config), { recursive: true });
  fs.writeFileSync(config, "resourceList: [{resourceName: front, limits: {vlans: [100]}}]");
  const kubelet = new FakeKubelet(tree.root);
  await kubelet.start();
  using _kubelet = { [Symbol.dispose]: () => kubelet.stop() };
  await using _plugin = new DevicePluginProcess(tree.root);
  await kubelet.waitForDevices("sriov/front", 7);
  const { pools } = tree.host.paths;
  const read = (): string | undefined => tree.host.files.readText(pools);
  const written = read();
  expect(written).toContain('"100"');
  const harms = [
    () => fs.rmSync(pools),
    () => fs.rmSync(dirname(pools), { recursive: true }),
    () => fs.writeFileSync(pools, '{"format": "1.2", "pools": {}}'),
  ];
  for (const harm of harms) {
    harm();
    await waitFor(String(harm), () => read() === written, beforeNextLookMs);
  }
  expect(kubelet.registrations).toBe(1);
});
