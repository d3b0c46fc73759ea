// CHECK of a pod whose VF tuning looks after: where interrupts run is no business of it, before tuning, after it, and when somebody moves them.

import { expect, test } from "vitest";

import { callCni } from "../../support/cni-call.ts";
import { createTuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  ips: ["192.0.2.50/24"],
};

test("neither a pin nor a mask is ever a difference", async () => {
  using node = createTuningNode();
  node.fake.addNetns("web-1");
  const added = await callCni(node.host, config);
  node.open(1, "net1");
  const check = async (): Promise<unknown> =>
    (await callCni(node.host, { ...config, prevResult: added.json }, { command: "CHECK" })).json;
  const seen: string[] = [];
  const changes = [
    async () => undefined,
    () => passOnce(node.host),
    async () => node.setAffinity(1, 0, "3"),
    async () => node.setValue("web-1", "queues/rx-0/rps_cpus", "00"),
  ];
  for (const change of changes) {
    await change();
    expect(await check()).toBeUndefined();
    seen.push(`${node.affinities(1)}, RPS ${node.mask("web-1")}`);
  }
  expect(new Set(seen).size).toBe(changes.length);
  expect((await callCni(node.host, config, { command: "DEL" })).exitCode).toBe(0);
});
