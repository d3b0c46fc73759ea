// Who wins where node.yaml and the configuration of a resource both say something of tuning.

import { expect, test } from "vitest";

import { formatResourceRules, mergePolicies, parseResourceRules } from "../../../sriov/resource-rules.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { choosePolicy } from "../../../sriov/tuning-policy.ts";

function choose(nodeYaml: object, ofResource: object | undefined, asked: object = {}) {
  const { config } = parseTuningConfig(nodeYaml, "tuning");
  const { rules } = parseResourceRules({ limits: undefined, tuning: ofResource }, "");
  const resources = mergePolicies(config, new Map([["sriov/fast", rules]]));
  const { policy, source, cpus, rfs, xps } = choosePolicy({ ...config, resources }, asked, "sriov/fast");
  return { policy, source, cpus, rfs, xps };
}

const unset = { cpus: undefined, rfs: undefined, xps: undefined };

test.each([
  ["nobody", {}, undefined, { ...unset, policy: "numa-spread", source: "default" }],
  [
    "the resource goes before node.yaml for the node",
    { policy: "housekeeping", rfs: true },
    { policy: "none" },
    { ...unset, policy: "none", source: "resource", rfs: true },
  ],
  [
    "node.yaml for the resource goes before the resource",
    { resources: { "sriov/fast": { policy: "explicit", cpus: 1 } } },
    { policy: "explicit", cpus: "4-5" },
    { ...unset, policy: "explicit", source: "resource", cpus: [1] },
  ],
  [
    "key by key",
    { xps: "near", resources: { "sriov/fast": { rfs: false } } },
    { policy: "follow-pod", rfs: true, xps: "off" },
    { ...unset, policy: "follow-pod", source: "resource", rfs: false, xps: "off" },
  ],
  [
    "another resource of node.yaml has no say",
    { resources: { "sriov/slow": { policy: "none" } } },
    { rfs: true },
    { ...unset, policy: "numa-spread", source: "default", rfs: true },
  ],
])("%s", (_, nodeYaml, ofResource, expected) => {
  expect(choose(nodeYaml, ofResource)).toEqual(expected);
});

test("what the pod or the network asked for goes before all", () => {
  const rules = { policy: "explicit", cpus: 3, rfs: true };
  expect(choose({}, rules, { policy: "follow-pod", rfs: false })).toMatchObject({
    policy: "follow-pod",
    source: "pod or network",
    rfs: false,
  });
});

test("what is formatted is read again, by way of JSON", () => {
  const { rules } = parseResourceRules(
    {
      limits: { vlans: [], spoofchk: "on" },
      tuning: { policy: "dedicated", coresPerNode: 2, rps: "explicit", rpsCpus: "0-3,8", threadedNapi: true },
    },
    "",
  );
  const written = JSON.parse(JSON.stringify(formatResourceRules(rules))) as {
    limits: unknown;
    tuning: unknown;
  };
  expect(parseResourceRules(written, "")).toEqual({ rules, problems: [] });
});
