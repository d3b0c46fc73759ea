// The device plugin and a real kubelet, looked at through PodResources: what a node would offer and give.
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { createHost } from "../../../host/create-host.ts";
import { readCheckpoint } from "../../../kubelet/checkpoint.ts";
import { PodResources } from "../../../kubelet/pod-resources.ts";
import { machines } from "../../fixtures/machines.ts";
import { DevicePluginProcess } from "../../support/deviceplugin-process.ts";
import { findKubelet } from "../../support/find-kubelet.ts";
import { createFixtureTree, type FixtureTree } from "../../support/fixture-tree.ts";
import { RealKubelet } from "../../support/real-kubelet.ts";
import { waitFor } from "../../support/wait-for.ts";

const resource = "sriov/vf";
const pf = "0000:01:00.0";
const executable = findKubelet();
const kubeletStartMs = 30_000;

describe.each(["plugins_registry", "device-plugins"])("through %s", (way) => {
  test("devices follow the node, the kubelet's restart and ours, and a pod keeps its own", async ({
    skip,
    onTestFailed,
  }) => {
    if (executable === undefined)
      return skip("no kubelet: set KUBE_BIN_DIR, or let the lab build Kubernetes first");
    await using node = await startNode(way, executable);
    const { tree, kubelet } = node;
    onTestFailed(() => console.error(kubelet.logTail()));
    await node.waitForAllocatable(7, kubeletStartMs);

    tree.setNumVfs(pf, 3);
    node.plugin.sendUevent();
    expect(await node.waitForAllocatable(3)).toBeLessThan(2_000);
    tree.setNumVfs(pf, 7);
    node.plugin.sendUevent();
    expect(await node.waitForAllocatable(7)).toBeLessThan(2_000);

    kubelet.writePod("web", resource, 2);
    await waitFor("the pod's container", () => kubelet.cri.containers.length === 1, 20_000);
    const envs = kubelet.cri.containers[0]?.envs ?? {};
    const given = envs["PCIDEVICE_SRIOV_VF"]?.split(",") ?? [];
    expect(given).toHaveLength(2);
    expect(Object.keys(JSON.parse(envs["PCIDEVICE_SRIOV_VF_INFO"] ?? "{}") as object)).toEqual(given);
    await node.waitForPodDevices(given);
    expect(readDevicesOfCheckpoint(tree)).toEqual(given.toSorted());

    await kubelet.stop();
    kubelet.start();
    await node.waitForAllocatable(7, kubeletStartMs);
    await node.waitForPodDevices(given);

    await node.plugin.end("SIGKILL");
    await node.waitForAllocatable(0);
    await using _again = new DevicePluginProcess(tree.root, { way });
    expect(await node.waitForAllocatable(7, 10_000)).toBeLessThan(3_000);
    await node.waitForPodDevices(given);
  });
});

interface Node extends AsyncDisposable {
  readonly tree: FixtureTree;
  readonly kubelet: RealKubelet;
  readonly plugin: DevicePluginProcess;
  /** Milliseconds until GetAllocatableResources shows this many VFs. */
  waitForAllocatable(count: number, timeoutMs?: number): Promise<number>;
  waitForPodDevices(ids: readonly string[]): Promise<void>;
}

async function startNode(way: string, kubeletPath: string): Promise<Node> {
  const tree = createFixtureTree(machines.igb);
  fs.mkdirSync(join(tree.root, "var/lib/kubelet", way), { recursive: true });
  const plugin = new DevicePluginProcess(tree.root, { way });
  await plugin.waitForLine("serving the plugin's socket");
  const kubelet = await RealKubelet.start(tree.root, kubeletPath);
  const host = createHost({ root: tree.root });
  return {
    tree,
    kubelet,
    plugin,
    waitForAllocatable: async (count, timeoutMs) => {
      const startMs = performance.now();
      await waitFor(
        `${count} VFs at the kubelet`,
        async () => (await countAllocatable(host)) === count,
        timeoutMs,
      );
      return performance.now() - startMs;
    },
    waitForPodDevices: async (ids) => {
      using client = new PodResources(host);
      const wanted = ids.toSorted().join();
      await waitFor(`the pod to hold ${wanted}`, async () => {
        const pod = await client.get("default", "web-n1");
        return (pod?.containers[0]?.devices.get(resource) ?? []).toSorted().join() === wanted;
      });
    },
    [Symbol.asyncDispose]: async () => {
      await plugin.end("SIGKILL");
      await kubelet[Symbol.asyncDispose]();
      tree[Symbol.dispose]();
    },
  };
}

async function countAllocatable(host: ReturnType<typeof createHost>): Promise<number | undefined> {
  using client = new PodResources(host, { timeoutMs: 500 });
  try {
    const { devices } = await client.getAllocatable();
    return devices.get(resource)?.length ?? 0;
  } catch {
    // The kubelet is not up yet.
    return undefined;
  }
}

function readDevicesOfCheckpoint(tree: FixtureTree): readonly string[] {
  const containers = [...(readCheckpoint(tree.host)?.pods.values() ?? [])];
  return containers
    .flatMap((pod) => [...pod.values()].flatMap((devices) => devices.get(resource) ?? []))
    .toSorted();
}
