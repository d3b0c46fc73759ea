// Who decides about a VF's policy, the first wins.

import { expect, test } from "vitest";

import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";

const { config } = parseTuningConfig(
  {
    policy: "housekeeping",
    cpus: "0-1",
    resources: { "sriov/fast": { policy: "explicit", cpus: "4-5" }, "sriov/slow": { rps: "off" } },
  },
  "tuning",
);
const nothing = parseTuningConfig({}, "tuning").config;

test.each([
  ["none", "sriov/fast", "none of the pod or network"],
  ["pod-sibling", undefined, "pod-sibling of the pod or network"],
  [undefined, "sriov/fast", "explicit of the resource"],
  [undefined, "sriov/slow", "housekeeping of the node"],
  [undefined, undefined, "housekeeping of the node"],
])("asked for as %s, of resource %s: %s", (asked, resource, expected) => {
  const { policy, source } = choosePolicy(config, { policy: asked }, resource);
  expect(`${policy} of the ${source}`).toBe(expected);
});

test("without any wish it is numa-spread", () => {
  expect(choosePolicy(nothing, {}, "sriov/vf")).toMatchObject({
    policy: "numa-spread",
    source: "default",
    note: undefined,
  });
});

test("the resource's settings go before the node's, one by one", () => {
  expect(choosePolicy(config, {}, "sriov/fast")).toMatchObject({ cpus: [4, 5], rps: undefined });
  expect(choosePolicy(config, {}, "sriov/slow")).toMatchObject({ cpus: [0, 1], rps: "off" });
});

test.each(["of-2031", "toString", ""])("one that is not known (%j) is numa-spread, and says so", (asked) => {
  const { policy, note } = choosePolicy(config, { policy: asked }, undefined);
  expect(policy).toBe("numa-spread");
  expect(note).toBe(`policy "${asked}" is not known here, using numa-spread`);
});
