// Masks that the kernel refuses or cuts to its housekeeping CPUs: tried once, and told as long as that is so.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** The node with a kernel that makes something else of each mask, or throws; `writes`: what it was told. */
function steering(node: TuningNode, make: (mask: string) => string): { host: Host; writes: string[] } {
  const writes: string[] = [];
  const namespaces: Host["namespaces"] = {
    ...node.host.namespaces,
    openSysfs(netns) {
      const sysfs = node.host.namespaces.openSysfs(netns);
      return {
        ...sysfs,
        writeText(path, text) {
          writes.push(text);
          sysfs.writeText(path, make(text));
        },
      };
    },
  };
  return { host: { ...node.host, namespaces }, writes };
}

function refuse(): never {
  throw new SystemCallError("write", "rps_cpus", "EINVAL");
}

test.each<[string, string, (mask: string) => string]>([
  ["refused", "rx-0 EINVAL", refuse],
  ["narrowed", "rx-0 PARTIAL", () => "00000004"],
])("one that is %s is told as long as it is, and written once", async (_, problem, make) => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  const { host, writes } = steering(node, make);
  const memory = createPassMemory(host);
  for (let pass = 0; pass < 3; pass += 1) {
    const { problems } = await passOnce(host, memory);
    expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual([problem]);
  }
  expect(writes).toEqual(["0000000d"]);
  node.detach(0, "web-1");
  expect((await passOnce(host, memory)).problems).toEqual([]);
});

test("one that could not be written since the netdev was going is tried again", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  let isGoing = true;
  const { host, writes } = steering(node, (mask) => {
    if (isGoing) throw new SystemCallError("write", "rps_cpus", "ENODEV");
    return mask;
  });
  const memory = createPassMemory(host);
  expect((await passOnce(host, memory)).problems.map(({ code }) => code)).toEqual(["ENODEV"]);
  isGoing = false;
  expect((await passOnce(host, memory)).problems).toEqual([]);
  expect(writes).toEqual(["0000000d", "0000000d"]);
});

test("one that is not understood is a problem of its queue, and keeps no other VF from being tuned", async () => {
  using node = createTuningNode(2);
  node.attach(0, "web-1");
  node.attach(1, "web-2");
  const sysfs = node.fake.kernel.mounted.get("/run/netns/web-1")?.sysfs ?? "";
  fs.writeFileSync(join(sysfs, "class/net/net1/queues/rx-0/rps_cpus"), "\n");
  const { problems } = await passOnce(node.host);
  expect(problems.map(({ vf, about, code }) => `${vf} ${about} ${code}`)).toEqual([
    `${node.address(0)} rx-0 ERR_CPU_MASK`,
  ]);
  expect([node.affinities(0), node.affinities(1), node.mask("web-2")]).toEqual(["0 1 0-3", "2 3 0-3", "0-2"]);
});
