// The health of a VF, from what is wrong with it to everywhere that tells: the kubelet, log, metric, and `virtfn status`.
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { runStatus } from "../../../cli/status/main.ts";
import { createHost } from "../../../host/create-host.ts";
import { machines } from "../../fixtures/machines.ts";
import { DevicePluginProcess } from "../../support/deviceplugin-process.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { findFreePort } from "../../support/free-port.ts";
import { waitFor } from "../../support/wait-for.ts";

const resource = "sriov/vf";
const vf = "0000:01:10.2";
/** What has no event is looked at this often. */
const pollMs = 30_000;

test("a VF that stops to answer is found by the look every 30 s, and the reason told everywhere", async () => {
  using tree = createFixtureTree(machines.igb);
  fs.mkdirSync(join(tree.root, "var/lib/kubelet/plugins_registry"), { recursive: true });
  const kubelet = new FakeKubelet(tree.root);
  await kubelet.start();
  using _kubelet = { [Symbol.dispose]: () => kubelet.stop() };
  const port = await findFreePort();
  await using plugin = new DevicePluginProcess(tree.root, { args: ["--listen", `127.0.0.1:${port}`] });
  await kubelet.waitForDevices(resource, 7);
  const healthOf = (id: string): string | undefined =>
    kubelet.devices(resource)?.find(({ ID }) => ID === id)?.health;

  const config = join(tree.root, "sys/bus/pci/devices", vf, "config");
  fs.writeFileSync(config, new Uint8Array(64).fill(0xff));
  await waitFor("the kubelet to know", () => healthOf(vf) === "Unhealthy", 2 * pollMs);
  expect(kubelet.devices(resource)?.filter(({ health }) => health === "Healthy")).toHaveLength(6);
  expect(await plugin.waitForLine("devices are unhealthy")).toMatchObject({
    level: "warn",
    resource,
    pciAddresses: [vf],
    code: "config-space",
    reason: expect.stringContaining("reads all ones") as string,
  });
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toContain(
    `virtfn_devices{resource="${resource}",state="unhealthy",reason="config-space"} 1`,
  );
  let status = "";
  await runStatus(createHost({ root: tree.root }), [], {
    print: (text) => void (status += text),
    isTerminal: false,
    signal: new AbortController().signal,
  });
  expect(status.replaceAll(/\s+/g, " ")).toContain(
    `unhealthy, the device does not answer: its PCI configuration space reads all ones: ${vf}`,
  );

  fs.rmSync(config);
  plugin.sendUevent();
  await waitFor("healthy again", () => healthOf(vf) === "Healthy");
  expect(await plugin.waitForLine("devices are healthy again")).toMatchObject({ pciAddresses: [vf] });
});
