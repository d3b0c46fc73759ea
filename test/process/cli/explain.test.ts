// `virtfn explain` as a process, on this very machine, where no kubelet has the pod; and what it asks a kubelet, over real gRPC.

import { status } from "@grpc/grpc-js";
import { join } from "node:path";
import { expect, test } from "vitest";

import { readPods } from "../../../cli/doctor/kubelet-facts.ts";
import { runExplain } from "../../../cli/explain/main.ts";
import type { Explanation } from "../../../cli/explain/step.ts";
import { createHost } from "../../../host/create-host.ts";
import { createPaths } from "../../../host/paths.ts";
import { machines } from "../../fixtures/machines.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { servePodResources } from "../../support/serve-pod-resources.ts";

const entry = join(import.meta.dirname, "../../../cli/main.ts");

test("without a kubelet, an API server or a daemon it tells that it cannot know, or that the pod is not here", async () => {
  const args = ["explain", "pod", "nowhere/no-such-pod", "--json"];
  const child = Bun.spawn([process.execPath, entry, ...args], { stdin: "ignore", stdout: "pipe" });
  const { pod, steps, vfs } = JSON.parse(await child.stdout.text()) as Explanation;
  expect(pod).toEqual({ namespace: "nowhere", name: "no-such-pod" });
  expect(steps[0]?.name).toBe("kubelet");
  expect(steps[0]?.state).not.toBe("ok");
  expect(vfs).toEqual([]);
  expect(await child.exited).toBe(steps.some(({ state }) => state === "stopped") ? 1 : 0);
});

const devices = [{ resourceName: "sriov/vf", deviceIds: ["0000:01:10.0"], topology: undefined }];
const app = { name: "app", devices, cpuIds: [2, 3], memory: [], dynamicResources: [] };

test("the kubelet at the socket of the node's root is asked for the pod", async () => {
  using tree = createFixtureTree(machines.igb);
  using _kubelet = await servePodResources(join(tree.root, "var/lib/kubelet/pod-resources/kubelet.sock"), {
    list: (_call, done) =>
      done(null, { podResources: [{ namespace: "shop", name: "web-1", containers: [app] }] }),
    get: (_call, done) => done({ code: status.UNIMPLEMENTED }),
    getAllocatableResources: (_call, done) => done({ code: status.UNIMPLEMENTED }),
  });
  // Ours has no socket, as a container that does not mount it.
  const host = createHost({ root: tree.root });
  const { kubelet } = createPaths(join(tree.root, "container"));
  const paths = { ...host.paths, kubelet };
  let text = "";
  const print = (part: string): void => void (text += part);
  const io = { print, isTerminal: false, listPods: readPods };
  expect(await runExplain({ ...host, paths }, ["pod", "shop/web-1", "--json"], io)).toBe(1);
  const { steps, vfs } = JSON.parse(text) as Explanation;
  expect(steps.map((step) => step.text)).toEqual([
    "admitted on this node, containers app (CPUs 2-3 of its own)",
    "the kubelet gave it sriov/vf: 0000:01:10.0",
  ]);
  expect(vfs[0]?.steps.map(({ name, state }) => `${name} ${state}`)).toEqual(["device ok", "record stopped"]);
});
