// Tests test/bench/network/policy-in-force.ts.

import { expect, test } from "vitest";

import {
  checkPolicyInForce,
  isPlacingDone,
  PolicyNotInForceError,
} from "../../../bench/network/policy-in-force.ts";

const vfs = ["0000:3b:02.0", "0000:3b:02.1"];

/** What `virtfn tuning --once --json` prints, as far as it is read; `others`: problems with their VF. */
function print(
  policy: string,
  others: readonly (readonly [vf: string, code: string, message: string])[] = [],
  about = "policy",
) {
  return JSON.stringify({
    vfs: vfs.map((address) => ({ address, policy, askedPolicy: "dedicated", askedBy: "network" })),
    problems: others.map(([vf, code, message]) => ({ vf, about, code, message })),
  });
}

function why(printed: string, wanted = vfs): string | undefined {
  try {
    checkPolicyInForce(printed, "dedicated", wanted);
    return undefined;
  } catch (error) {
    if (error instanceof PolicyNotInForceError) return error.message;
    throw error;
  }
}

test("a policy that every VF has is in force, whatever is wrong with VFs of others", () => {
  expect(why(print("dedicated", [["0000:5e:02.0", "FALLBACK", "the pod has no CPUs for itself"]]))).toBe(
    undefined,
  );
  expect(why(print("dedicated", [["0000:3b:02.0", "UNSUPPORTED", "no threads"]]))).toBe(undefined);
  expect(why(print("dedicated", [["0000:3b:02.0", "FALLBACK", "using no RPS"]], "rps"))).toBe(undefined);
});

test("a fallback is told once for all VFs that have it", () => {
  const message = "no core of the VF's NUMA node is free to be dedicated, using numa-spread";
  const fallbacks = vfs.map((vf) => [vf, "FALLBACK", message] as const);
  expect(why(print("numa-spread", fallbacks))).toBe(`policy dedicated is not in force: ${message}`);
});

test("a policy that keeps its name but is met in part is not in force", () => {
  const message = "1 of 2 cores are free to be dedicated on the VF's NUMA node";
  expect(why(print("dedicated", [["0000:3b:02.1", "FALLBACK", message]]))).toContain(message);
});

test("another policy than the one asked for, and a VF that tuning does not tell of", () => {
  expect(why(print("none"))).toBe("policy dedicated is not in force: none is, asked for by network");
  expect(why(print("dedicated"), [...vfs, "0000:3b:02.2"])).toBe(
    "policy dedicated is not in force: virtfn tuning tells nothing of 0000:3b:02.2",
  );
});

test("what virtfn did not get done is not in force: interrupts that come later would be measured where they are", () => {
  const report = JSON.parse(print("dedicated")) as object;
  const printed = JSON.stringify({ ...report, isUnfinished: true });
  expect(isPlacingDone(printed)).toBe(false);
  expect(isPlacingDone(JSON.stringify({ ...report, isUnfinished: false }))).toBe(true);
  expect(why(printed)).toContain("virtfn tuning did not get done");
});
