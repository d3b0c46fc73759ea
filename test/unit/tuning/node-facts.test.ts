// What decides about policies, and in which order the node is asked for it; what the kubelet tells: test/process/tuning/node-facts.test.ts.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { writePodCpus } from "../../../sriov/pod-cpus.ts";
import { readTopology } from "../../../sriov/topology.ts";
import { createNodeFactsReader } from "../../../tuning/node-facts.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { createTuningNode } from "../../support/tuning-node.ts";

test("the CPUs are looked at last: one may go while the kubelet takes its time", async () => {
  using node = createTuningNode();
  const files: Host["files"] = {
    ...node.host.files,
    readText: (path) => {
      if (path === node.host.paths.pools) node.setOnline("0,2-7");
      return node.host.files.readText(path);
    },
  };
  const read = createNodeFactsReader({ ...node.host, files });
  const { topology, housekeeping } = await read(() => readTopology(node.host));
  expect(topology.online).not.toContain(1);
  expect(housekeeping).not.toContain(1);
});

test("isolated CPUs are not for housekeeping, and neither are those that the kubelet may give to one pod", async () => {
  using node = createTuningNode();
  writeFolder(node.fake.root, { "sys/devices/system/cpu/isolated": "6-7" });
  const read = async () =>
    (await createNodeFactsReader(node.host)(() => readTopology(node.host))).housekeeping;
  expect(await read()).toEqual([0, 1, 2, 3, 4, 5]);
  writePodCpus(node.host, { exclusive: new Map([["shop/web", [1]]]), allocatable: [2, 3] });
  expect(await read()).toEqual([0, 4, 5]);
});
