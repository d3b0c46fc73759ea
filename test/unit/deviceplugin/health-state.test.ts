// A device's health over time: what the kubelet is told second by second.
import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { HealthProblem } from "../../../deviceplugin/health.ts";
import {
  type HealthState,
  initialHealth,
  nextHealth,
  nextLookMs,
} from "../../../deviceplugin/health-state.ts";

const link: HealthProblem = { code: "link", reason: "the PF ens1f0 has no link" };
const unknown: HealthProblem = { code: "unknown-owner", reason: "pod a/b has it" };

/** "-" good, "L" no link, "U" unknown owner: what is seen each second, and what is told: "f" unstable. */
test.each<[string, string, string]>([
  ["bad and good at once", "--LL--L-", "--LL--L-"],
  ["the third time within a minute it waits", `L-L-L${"-".repeat(32)}`, `L-L-L${"f".repeat(30)}--`],
  ["what happens while it waits begins it anew", `L-L-L--L${"-".repeat(31)}`, `L-L-LffL${"f".repeat(30)}-`],
  ["three times in more than a minute are nothing", `L-L${"-".repeat(57)}L-`, `L-L${"-".repeat(57)}L-`],
  ["three times just within a minute wait", `L-L${"-".repeat(56)}L-`, `L-L${"-".repeat(56)}Lf`],
  ["an unknown owner counts after ten seconds", `${"U".repeat(12)}-`, `${"-".repeat(10)}UU-`],
  ["a shorter one does not count", `${"U".repeat(9)}-${"U".repeat(9)}-`, "-".repeat(20)],
  ["another problem counts at once", "UUUL", "---L"],
])("%s", (_, seen, told) => {
  expect(run(seen)).toBe(told);
});

test("it tells when to look again, and nothing is to be seen before", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(undefined, link, unknown), { maxLength: 40 }), (looks) => {
      let state: HealthState = initialHealth;
      for (const [second, seen] of looks.entries()) state = nextHealth(state, seen, second * 1000);
      const last = looks.at(-1);
      const nowMs = (looks.length - 1) * 1000;
      const atMs = nextLookMs(state);
      const later = nextHealth(state, last, (atMs ?? nowMs + 600_000) - 1);
      expect(later.problem).toEqual(state.problem);
      if (atMs === undefined) return;
      expect(atMs).toBeGreaterThan(nowMs);
      expect(nextHealth(state, last, atMs).problem).not.toEqual(state.problem);
    }),
  );
});

test("whatever was seen, thirty good seconds make it good", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("-", "L", "U"), { maxLength: 60 }), (looks) => {
      expect(run(`${looks.join("")}${"-".repeat(31)}`).at(-1)).toBe("-");
    }),
  );
});

function run(seen: string): string {
  let state: HealthState = initialHealth;
  return seen
    .split("")
    .map((letter, second) => {
      const looks: Readonly<Record<string, HealthProblem | undefined>> = { L: link, U: unknown };
      state = nextHealth(state, looks[letter], second * 1000);
      const letters = { link: "L", "unknown-owner": "U", flapping: "f" } as Record<string, string>;
      return state.problem === undefined ? "-" : (letters[state.problem.code] ?? "?");
    })
    .join("");
}
