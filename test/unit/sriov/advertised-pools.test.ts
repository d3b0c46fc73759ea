// What the device plugin offers, on disk.
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatAdvertisedPools, parseAdvertisement } from "../../../sriov/advertised-pools.ts";
import { parseResourceRules } from "../../../sriov/resource-rules.ts";

test("what is written is read again", () => {
  const names = fc.stringMatching(/^[a-z][a-z.]*\/[a-z_]+$/u);
  const pools = fc.array(fc.tuple(names, fc.array(fc.string()))).map((entries) => new Map(entries));
  const isKept = fc.property(pools, (written) => {
    const read = parseAdvertisement(formatAdvertisedPools(written), "/pools.json").pools;
    return JSON.stringify([...read]) === JSON.stringify([...written]);
  });
  expect(fc.check(isKept).counterexample).toBeNull();
});

test("the reasons and rules are read with the devices, and are none in a file of the first minor", () => {
  const details = {
    unhealthy: new Map([["0000:01:10.0", { code: "link", reason: "the PF ens1f0 has no link" }]]),
    leftOut: new Map([["0000:01:10.2", "no driver"]]),
    rules: new Map([
      [
        "sriov/vf",
        parseResourceRules(
          {
            limits: { vlans: [100, "200-299"], trust: "off" },
            tuning: { policy: "explicit", cpus: "4-7", rfs: true },
          },
          "",
        ).rules,
      ],
    ]),
  };
  const pools = new Map([["sriov/vf", ["0000:01:10.0"]]]);
  expect(parseAdvertisement(formatAdvertisedPools(pools, details), "/pools.json")).toEqual({
    pools,
    ...details,
  });
  const first = '{"format":"1.0","pools":{}}';
  expect(parseAdvertisement(first, "/pools.json").leftOut.size).toBe(0);
  expect(parseAdvertisement(first, "/pools.json").rules.size).toBe(0);
});

test("a limit that is not understood is an error, not no limit", () => {
  const text = '{"format":"1.2","pools":{},"rules":{"sriov/vf":{"limits":{"vlans":["all"]}}}}';
  expect(() => parseAdvertisement(text, "/pools.json")).toThrow(
    /pools\.json.*rules\.sriov\/vf\.limits\.vlans\.0: expected VLANs like 100/,
  );
});

test("fields of a later minor are no problem", () => {
  const text = '{"format":"1.7","pools":{"sriov/vf":["0000:01:10.0"]},"later":true}';
  expect(parseAdvertisement(text, "/pools.json").pools.get("sriov/vf")).toEqual(["0000:01:10.0"]);
});

test.each(["", "{", '{"format":"2.0","pools":{}}', '{"format":"1.0","pools":{"a/b":"c"}}'])(
  "%j is refused with the path",
  (text) => {
    expect(() => parseAdvertisement(text, "/run/virtfn/pools.json")).toThrow("/run/virtfn/pools.json");
  },
);
