// What a pass opens it closes, also where any of its calls fails: a namespace that is kept open cannot die.

import { expect, test } from "vitest";

import { withFault } from "../../support/faults.ts";
import { createTuningKillNode, tuningKillCases } from "../../support/tuning-kill-cases.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** Dozens of nodes are made in one test. */
const slowMs = 60_000;

const opening = [
  "namespaces.open",
  "namespaces.openSysfs",
  "openNetlink",
  "openEthtool",
  "openNapis",
  "locks.acquire",
];
const noUevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };

/** Those that open something else than the others. */
const names = new Set(["another policy of the node", "NAPI in threads", "--restore of channels"]);

for (const one of tuningKillCases.filter(({ name }) => names.has(name))) {
  test(
    `tuning for ${one.name} leaves nothing open, whichever call fails`,
    async () => {
      for (let at = 0; ; at += 1) {
        using node = await createTuningKillNode(one);
        const { host, calls, isHit } = withFault(node.host, { at, how: "fail" });
        const act = one.act ?? passOnce;
        await act({ ...host, uevents: noUevents }).catch(() => "the pass failed as a whole");
        const failed = calls[at];
        if (!isHit()) return;
        expect({ at, failed, left: listOpen(calls.toSpliced(at, 1)) }).toEqual({ at, failed, left: [] });
      }
    },
    slowMs,
  );
}

/** Calls that opened more than was closed; `calls`: those that did not fail. */
function listOpen(calls: readonly string[]): readonly string[] {
  const count = (call: string): number => calls.filter((each) => each === call).length;
  return opening.filter((call) => count(call) > count(`${call}().Symbol(Symbol.dispose)`));
}
