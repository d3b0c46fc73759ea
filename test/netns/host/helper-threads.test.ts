// The runtime's own threads while a daemon visits other namespaces.

import { afterEach, beforeEach, expect, it } from "vitest";

import { createTestNetns, type TestNetns } from "../../support/netns.ts";

let netns: TestNetns;

beforeEach(() => {
  netns = createTestNetns();
});
afterEach(() => netns[Symbol.dispose]());

it("none of the collector's is started in there, where it would keep the namespace for as long as the daemon lives", async () => {
  const script = `
    import { openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
    import { createHost } from "${import.meta.resolve("../../../host/create-host.ts")}";
    import { runDaemon } from "${import.meta.resolve("../../../host/daemon.ts")}";
    import { createLibc } from "${import.meta.resolve("../../../host/libc.ts")}";
    import { enterNetns } from "${import.meta.resolve("../../../host/netns-enter.ts")}";
    const metrics = { contentType: "", metrics: async () => "" };
    const options = { name: "test", listen: undefined, logLevel: "error", whyNotReady: () => undefined, metrics };
    const read = (task, name) => readFileSync("/proc/self/task/" + task + "/" + name, "utf8").trim();
    await runDaemon(createHost(), options, async () => {
      const target = { label: "there", fd: openSync("${netns.path}", "r") };
      const inside = enterNetns(createLibc(), target, () => {
        Bun.gc(true);
        return readlinkSync("/proc/thread-self/ns/net");
      });
      for (const task of readdirSync("/proc/self/task")) {
        if (read(task, "comm") !== "HeapHelper") continue;
        const isInside = readlinkSync("/proc/self/task/" + task + "/ns/net") === inside;
        console.log(isInside ? "inside" : "home");
      }
    });
    process.exit(0);
  `;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, BUN_JSC_numberOfGCMarkers: "4" },
    stdout: "pipe",
    stderr: "inherit",
  });
  expect(await new Response(child.stdout).text()).toBe("home\n".repeat(3));
  expect(await child.exited).toBe(0);
});
