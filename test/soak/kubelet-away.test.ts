// A real kubelet that is away for minutes: the device plugin waits without work, and the devices are there as soon as it is back.

import { expect, test } from "vitest";

import { readCpuMs } from "../bench/process-usage.ts";
import { machines } from "../fixtures/machines.ts";
import { KubeletNode } from "../support/kubelet-node.ts";
import { findUsableKubelet } from "../support/kubelet-obstacle.ts";

const resource = "sriov/vf";
const kubeletToRun = findUsableKubelet();
const awayMs = 3 * 60_000;
const kubeletStartMs = 30_000;
/** Twice the goal, as in test/process/deviceplugin/kubelet-times.test.ts. */
const backWithinMs = 4_000;

test.for(["plugins_registry", "device-plugins"])(
  "through %s: away for three minutes, and back",
  async (way, { skip, annotate, onTestFailed }) => {
    if ("obstacle" in kubeletToRun) return skip(kubeletToRun.obstacle);
    await using node = new KubeletNode(machines.igb, { way, executable: kubeletToRun.executable });
    await node.startKubelet();
    onTestFailed(() => console.error(node.kubelet.logTail()));
    await node.waitForKubelet(kubeletStartMs);
    node.startPlugin();
    await node.waitForAllocatable(resource, 7, 10_000);
    await node.kubelet.stop();
    const before = readCpuMs(node.plugin.pid);
    await Bun.sleep(awayMs);
    const busyMs = readCpuMs(node.plugin.pid) - before;
    node.kubelet.start();
    await node.waitForKubelet(kubeletStartMs);
    const tookMs = await node.waitForAllocatable(resource, 7, backWithinMs);
    await annotate(
      `known again after ${Math.round(tookMs)} ms; CPU while it was away: ${Math.round(busyMs)} ms`,
    );
    expect(tookMs).toBeLessThan(backWithinMs);
  },
);
