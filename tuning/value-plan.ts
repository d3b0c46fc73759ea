// Which values of a VF's netdev, other than masks, a pass writes: those of the knobs that somebody asked for.

import { ownerToken } from "../sriov/attachment.ts";
import { countQueueFlows } from "../sriov/rfs.ts";
import type { TunedVf } from "./node-state.ts";
import { type Problem, unsupported } from "./problem.ts";
import type { Refusals } from "./refusals.ts";

/** One value to write, by its path below the netdev's folder; texts as the kernel has them. */
export interface ValueStep {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

/** `problems`: what is asked for and can't be, since the kernel or the driver does not have it or refused it. */
export interface ValuePlan {
  readonly steps: readonly ValueStep[];
  readonly problems: readonly Problem[];
}

/** Steps for what differs from what it shall be; what nobody asks for any more becomes what it was. */
export function planValues(target: TunedVf, refusals: Refusals): ValuePlan {
  const { address } = target.vf;
  const present = new Map((target.values ?? []).map(({ path, text }) => [path, text] as const));
  const wanted = new Map([...listOriginals(target), ...listWanted(target)]);
  const changes = [...wanted].flatMap(([path, to]) => {
    const from = present.get(path);
    return from === undefined || from === to ? [] : [{ path, from, to }];
  });
  const refused = changes.filter((step) => refusals.hasValue(address, step));
  return {
    steps: changes.filter((step) => !refused.includes(step)),
    problems: [
      ...findMissing(target),
      ...refused.map(({ path, from }) => unsupported(address, path, `it stays ${from}`)),
    ],
  };
}

function findMissing(target: TunedVf): readonly Problem[] {
  const { chosen, values, napis, vf } = target;
  if (values === undefined) return [];
  const problems: Problem[] = [];
  if (chosen.rfs === true && listFlowPaths(target).length === 0)
    problems.push(unsupported(vf.address, "rfs", "no receive queue has rps_flow_cnt"));
  if (chosen.threadedNapi === true && values.every(({ path }) => path !== "threaded"))
    problems.push(unsupported(vf.address, "threaded", "the kernel has none (since Linux 5.12)"));
  if (chosen.threadedNapi === true && napis === undefined)
    problems.push(
      unsupported(vf.address, "threads", "the kernel can't tell them (since Linux 6.8): they are not pinned"),
    );
  return problems;
}

function listWanted(target: TunedVf): readonly (readonly [path: string, text: string])[] {
  const flows = target.chosen.rfs === true ? listFlowPaths(target) : [];
  const threaded = target.values?.find(({ path }) => path === "threaded")?.text;
  return [
    ...flows.map((path) => [path, String(countQueueFlows(flows.length))] as const),
    // Somebody may want more than 1: a thread that polls all the time.
    ...(target.chosen.threadedNapi === true
      ? [["threaded", threaded === "0" ? "1" : (threaded ?? "1")] as const]
      : []),
  ];
}

function listFlowPaths({ values }: TunedVf): readonly string[] {
  return (values ?? []).map(({ path }) => path).filter((path) => path.endsWith("/rps_flow_cnt"));
}

function listOriginals({ saved, record }: TunedVf): readonly (readonly [path: string, text: string])[] {
  if (saved?.values?.owner !== ownerToken(record.owner)) return [];
  return saved.values.originals.map(({ path, original }) => [path, original]);
}
