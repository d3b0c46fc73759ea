// `virtfn explain` as a process: on this very machine, where no kubelet has the pod.

import { join } from "node:path";
import { expect, test } from "vitest";

import type { Explanation } from "../../../cli/explain/step.ts";

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
