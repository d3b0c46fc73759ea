// The real process ended by SIGKILL at some moment of ADD: DEL makes the host as it was. (Every single moment: test/unit/cni/faults.)

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
  const ends = new Set<string>();
  for (let ms = 60; ms <= 240; ms += 12) {
    const env = { ...process.env, ...environment, CNI_COMMAND: "ADD" };
    const child = spawn("ip", ["netns", "exec", node.host.name, process.execPath, entry, node.root], { env });
    const ended = new Promise<string>(
      (done) => void child.on("close", (code, signal) => done(signal ?? `exit ${code}`)),
    );
    child.stdin.end(JSON.stringify(config));
    await sleep(ms);
    child.kill("SIGKILL");
    ends.add(await ended);
    expect({ ms, ...(await node.call("DEL", config, environment)) }).toMatchObject({ ms, exitCode: 0 });
    expect({ ms, text: node.toText() }).toEqual({ ms, text: before });
  }
  expect(ends).toContain("SIGKILL");
});
