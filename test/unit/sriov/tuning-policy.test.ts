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

/** Those that a network may have too. */
const knobs = ["rfs", "threadedNapi", "channelPerCpu"] as const;

test.each(knobs)("%s is what the network says, else the resource, else the node, each by itself", (knob) => {
  const others = Object.fromEntries(knobs.filter((each) => each !== knob).map((each) => [each, false]));
  const node = parseTuningConfig(
    { ...others, [knob]: true, resources: { "sriov/off": { [knob]: false }, "sriov/other": {} } },
    "tuning",
  ).config;
  const choose = (ofNetwork: object, resource?: string): readonly unknown[] => {
    const chosen = choosePolicy(node, ofNetwork, resource);
    return [knob, ...knobs.filter((each) => each !== knob)].map((each) => chosen[each]);
  };
  expect(choose({})).toEqual([true, false, false]);
  expect(choose({}, "sriov/other")).toEqual([true, false, false]);
  expect(choose({}, "sriov/off")).toEqual([false, false, false]);
  expect(choose({ [knob]: true }, "sriov/off")).toEqual([true, false, false]);
  expect(choose({ [knob]: false })).toEqual([false, false, false]);
  expect(choosePolicy(nothing, {}, undefined)[knob]).toBeUndefined();
});

test("xps, CPUs for RPS and the number of dedicated cores are the resource's, else the node's", () => {
  const both = { rps: "explicit", rpsCpus: "2", coresPerNode: 1, xps: "off" };
  const own = { rpsCpus: "3", coresPerNode: 2, xps: "near" };
  const node = parseTuningConfig({ ...both, resources: { "sriov/fast": own } }, "tuning").config;
  expect(choosePolicy(node, {}, undefined)).toMatchObject({ rpsCpus: [2], coresPerNode: 1, xps: "off" });
  expect(choosePolicy(node, {}, "sriov/fast")).toMatchObject({
    rps: "explicit",
    rpsCpus: [3],
    coresPerNode: 2,
    xps: "near",
  });
});

test.each(["of-2031", "toString", ""])("one that is not known (%j) is numa-spread, and says so", (asked) => {
  const { policy, note } = choosePolicy(config, { policy: asked }, undefined);
  expect(policy).toBe("numa-spread");
  expect(note).toBe(`policy "${asked}" is not known here, using numa-spread`);
});
