// One pass of tuning over a node, without a daemon around it.

import type { Host } from "../../host/host.ts";
import { readTopology } from "../../sriov/topology.ts";
import { createNodeFactsReader, type NodeFacts } from "../../tuning/node-facts.ts";
import type { Patience } from "../../tuning/irqbalance/keeper.ts";
import { createPassMemory } from "../../tuning/pass-memory.ts";
import { type PassReport, runPass } from "../../tuning/pass.ts";
import { withFault } from "./faults.ts";
import type { TuningNode } from "./tuning-node.ts";

/** `known` takes the place of what the node would tell. Waits for no lock. */
export async function passOnce(
  host: Host,
  memory = createPassMemory(host),
  known: Partial<NodeFacts> = {},
  patience?: Patience,
): Promise<PassReport> {
  const facts = { ...(await createNodeFactsReader(host)(() => readTopology(host))), ...known };
  return runPass(host, { memory, facts, lockTimeoutMs: 0, ...(patience === undefined ? {} : { patience }) });
}

/** The calls of one pass that change the node. */
export async function listWrites(node: TuningNode): Promise<readonly string[]> {
  const { host, calls } = withFault(node.host);
  await passOnce(host);
  return calls.filter((call) => /write|remove|rename/i.test(call));
}
