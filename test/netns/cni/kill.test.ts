// The real process ended by SIGKILL at some moment of ADD: DEL makes the host as it was. (Every single moment: test/unit/cni/faults.)

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

import { createTestNetns } from "../../support/netns.ts";
import { createStandInNode } from "../../support/stand-in-node.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.0",
  vlan: 9,
  mac: "02:aa:bb:cc:dd:03",
  ips: ["192.0.2.50/24"],
};
const entry = resolve(import.meta.dirname, "../../support/stand-in-cni-main.ts");
/** How many moments of an ADD, and a time in which every ADD has ended. */
const moments = 16;
const wholeMs = 10_000;

test("ADD killed after any number of milliseconds leaves nothing once DEL was called", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const before = node.toText();
  const environment = {
    CNI_CONTAINERID: "c1",
    CNI_NETNS: pod.path,
    CNI_IFNAME: "net1",
    CNI_PATH: "/usr/lib/cni",
  };
  const add = async (killAfterMs: number): Promise<{ readonly end: string; readonly tookMs: number }> => {
    const start = performance.now();
    const env = { ...process.env, ...environment, CNI_COMMAND: "ADD" };
    const child = spawn("ip", ["netns", "exec", node.host.name, process.execPath, entry, node.root], { env });
    const ended = new Promise<string>(
      (done) => void child.on("close", (code, signal) => done(signal ?? `exit ${code}`)),
    );
    child.stdin.end(JSON.stringify(config));
    const timer = setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    const end = await ended;
    const tookMs = performance.now() - start;
    clearTimeout(timer);
    expect({ killAfterMs, ...(await node.call("DEL", config, environment)) }).toMatchObject({
      killAfterMs,
      exitCode: 0,
    });
    expect({ killAfterMs, text: node.toText() }).toEqual({ killAfterMs, text: before });
    return { end, tookMs };
  };
  const whole = await add(wholeMs);
  expect(whole.end).toBe("exit 0");
  const ends = new Set<string>();
  for (let moment = 1; moment <= moments; moment += 1) {
    ends.add((await add((whole.tookMs * moment) / moments)).end);
  }
  expect(ends).toContain("SIGKILL");
});
