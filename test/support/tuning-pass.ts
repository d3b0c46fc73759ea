// One pass of tuning over a node, without a daemon around it.

import type { Host } from "../../host/host.ts";
import { readTopology } from "../../sriov/topology.ts";
import { createNodeFactsReader, type NodeFacts } from "../../tuning/node-facts.ts";
import { type PassReport, runPass } from "../../tuning/pass.ts";
import { Refusals } from "../../tuning/refusals.ts";

/** `known` takes the place of what the node would tell. Waits for no lock. */
export async function passOnce(
  host: Host,
  refusals = new Refusals(),
  known: Partial<NodeFacts> = {},
): Promise<PassReport> {
  const facts = { ...(await createNodeFactsReader(host)(readTopology(host))), ...known };
  return runPass(host, { refusals, facts, lockTimeoutMs: 0 });
}
