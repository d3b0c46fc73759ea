// In which order the node is asked what decides about policies.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { readTopology } from "../../../sriov/topology.ts";
import { createNodeFactsReader } from "../../../tuning/node-facts.ts";
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
