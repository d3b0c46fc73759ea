// The device plugin and a real kubelet, looked at through PodResources: a pod gets its devices and keeps them.
import { describe, expect, test } from "vitest";

import { readCheckpoint } from "../../../kubelet/checkpoint.ts";
import { machines } from "../../fixtures/machines.ts";
import type { FixtureTree } from "../../support/fixture-tree.ts";
import { KubeletNode } from "../../support/kubelet-node.ts";
import { findUsableKubelet } from "../../support/kubelet-obstacle.ts";
import { waitFor } from "../../support/wait-for.ts";

const resource = "sriov/vf";
const kubeletToRun = findUsableKubelet();
const kubeletStartMs = 30_000;

describe.each(["plugins_registry", "device-plugins"])("through %s", (way) => {
  test("a pod gets its devices, and keeps them over restarts of the kubelet and of ours", async ({
    skip,
    onTestFailed,
  }) => {
    if ("obstacle" in kubeletToRun) return skip(kubeletToRun.obstacle);
    const { executable } = kubeletToRun;
    await using node = new KubeletNode(machines.igb, { way, executable });
    node.startPlugin();
    await node.plugin.waitForLine("serving the plugin's socket");
    await node.startKubelet();
    onTestFailed(() => console.error(node.kubelet.logTail()));
    await node.waitForAllocatable(resource, 7, kubeletStartMs);

    node.kubelet.writePod("web", resource, 2);
    const { cri } = node.kubelet;
    await waitFor("the pod's container", () => cri.containers.length === 1, 20_000);
    const envs = cri.containers[0]?.envs ?? {};
    const given = envs["PCIDEVICE_SRIOV_VF"]?.split(",") ?? [];
    expect(given).toHaveLength(2);
    expect(Object.keys(JSON.parse(envs["PCIDEVICE_SRIOV_VF_INFO"] ?? "{}") as object)).toEqual(given);
    await node.waitForPodDevices("web", resource, given);
    expect(readDevicesOfCheckpoint(node.tree)).toEqual(given.toSorted());

    await node.kubelet.stop();
    node.kubelet.start();
    await node.waitForAllocatable(resource, 7, kubeletStartMs);
    await node.waitForPodDevices("web", resource, given);

    await node.plugin.end("SIGKILL");
    await node.waitForAllocatable(resource, 0);
    node.startPlugin();
    await node.waitForAllocatable(resource, 7, 10_000);
    await node.waitForPodDevices("web", resource, given);
  });
});

function readDevicesOfCheckpoint(tree: FixtureTree): readonly string[] {
  const containers = [...(readCheckpoint(tree.host)?.pods.values() ?? [])];
  return containers
    .flatMap((pod) => [...pod.values()].flatMap((devices) => devices.get(resource) ?? []))
    .toSorted();
}
