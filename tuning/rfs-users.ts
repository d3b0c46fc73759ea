// The VFs that use receive flow steering, which the node's table of socket flows is for.

import type { Host } from "../host/host.ts";
import { visitHeldVfs } from "./held-vfs.ts";
import type { NodeFacts } from "./node-facts.ts";
import { isTuned, type NodeState } from "./node-state.ts";
import { choosePolicyOf } from "./vf-policy.ts";

/** How many there are; "unknown" where there is none, and may be one that can't be judged. */
export type RfsUsers = number | "unknown";

/** As a pass saw them. */
export function countSeenRfsUsers({ vfs, isCertain }: Pick<NodeState, "vfs" | "isCertain">): RfsUsers {
  const users = vfs.filter(({ chosen }) => isUser(chosen)).length;
  return users === 0 && !isCertain ? "unknown" : users;
}

/** As the records tell now. */
export function countRfsUsers(host: Pick<Host, "files" | "paths" | "clock">, facts: NodeFacts): RfsUsers {
  let users = 0;
  const { unclear } = visitHeldVfs(host, (record, vf) => {
    if (isTuned(record, vf) && isUser(choosePolicyOf(facts, record))) users += 1;
  });
  return users === 0 && unclear.size > 0 ? "unknown" : users;
}

function isUser({ policy, rfs }: ReturnType<typeof choosePolicyOf>): boolean {
  return policy !== "none" && rfs === true;
}
