// node.yaml: what is taken, and every problem with its path.

import { expect, test } from "vitest";

import { findLimits, parseNodeConfig } from "../../../sriov/node-config.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";

test("an empty file has the defaults", () => {
  const { config, problems } = parseNodeConfig({});
  expect(problems).toEqual([]);
  expect(config).toEqual({
    pfs: [],
    allowedPodPolicies: ["numa-spread", "follow-pod", "pod-sibling"],
    limits: new Map(),
    tuning: parseTuningConfig({}, "tuning").config,
  });
});

test("everything in it", () => {
  const { config, problems } = parseNodeConfig({
    pfs: ["ens1f0", { name: "ens2f0", numVfs: 4 }],
    allowedPodPolicies: ["none"],
    limits: { "sriov/vf": { vlans: [5, "100-199"], trust: "off" }, "*": { spoofchk: "on" } },
  });
  expect(problems).toEqual([]);
  expect(config.pfs).toEqual([
    { name: "ens1f0", numVfs: undefined },
    { name: "ens2f0", numVfs: 4 },
  ]);
  expect(findLimits(config, "sriov/vf")).toEqual({
    vlans: [
      { first: 5, last: 5 },
      { first: 100, last: 199 },
    ],
    trust: false,
    spoofchk: undefined,
  });
  expect(findLimits(config, "sriov/other")?.spoofchk).toBe(true);
  expect(findLimits(config, undefined)?.spoofchk).toBe(true);
});

test.each([
  [{ pf: ["ens1f0"] }, "pf: unknown key, did you mean pfs?"],
  [{ pfs: "ens1f0" }, 'pfs: expected a list of interface names, got "ens1f0"'],
  [{ pfs: [{ numVfs: 2 }] }, "pfs[0].name: expected an interface name like ens1f0, got nothing"],
  [{ pfs: [{ name: "a", numVfs: 0 }] }, "pfs[0].numVfs: expected an integer of at least 1, got 0"],
  [{ allowedPodPolicies: ["folow-pod"] }, "did you mean follow-pod?"],
  [{ limits: { vf: {} } }, 'limits.vf: expected a resource name like sriov/vf, or *, got "vf"'],
  [{ limits: { "*": { vlans: ["9-5"] } } }, "limits.*.vlans.0: expected VLANs like 100 or 200-299"],
  [{ limits: { "*": { vlans: [4095] } } }, "limits.*.vlans.0: expected VLANs"],
  [{ limits: { "*": { trust: true } } }, 'limits.*.trust: expected "on" or "off", got true'],
  [{ limits: { "*": 5 } }, "limits.*: expected an object, got 5"],
  [{ tuning: { policy: 5 } }, "tuning.policy: expected one of numa-spread"],
  ["x", 'configuration: expected an object, got "x"'],
])("%j: %s", (value, problem) => {
  expect(parseNodeConfig(value).problems).toEqual([expect.stringContaining(problem)]);
});

test("a value that is inside itself, by an anchor of YAML, is a problem like others", () => {
  const limits: Record<string, unknown> = {};
  limits["*"] = { vlans: limits };
  expect(parseNodeConfig({ limits }).problems).toEqual([
    expect.stringMatching(/^limits\.\*\.vlans: expected .*, got \{\.\.\.\}$/),
  ]);
});
