// The line in irqbalance's configuration file: added once, and taken away without a trace.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { addPolicyFolder, removePolicyFolder } from "../../../../tuning/irqbalance/config-text.ts";

const folder = "/var/lib/virtfn/irqbalance.d";

test.each([
  ["#IRQBALANCE_ARGS=\n", `IRQBALANCE_ARGS="--policyscript=${folder}"`],
  ["IRQBALANCE_ARGS=\n", `IRQBALANCE_ARGS="--policyscript=${folder}"`],
  ['IRQBALANCE_ARGS="-t 5"\n', `IRQBALANCE_ARGS="-t 5 --policyscript=${folder}"`],
  ["export IRQBALANCE_ARGS='-t 5'\nA=1\n", `IRQBALANCE_ARGS="-t 5 --policyscript=${folder}"`],
  ["IRQBALANCE_ARGS=-d\nIRQBALANCE_ARGS=-f\n", `IRQBALANCE_ARGS="-f --policyscript=${folder}"`],
])("%j ends with %s", (text, line) => {
  const added = addPolicyFolder(text, folder);
  expect(added).toMatch(new RegExp(`^# The next line was written by virtfn .*\n${line}\n$`, "m"));
  expect(added?.startsWith(text)).toBe(true);
});

test("arguments with a policy script of their own stay as they are", () => {
  const text = 'IRQBALANCE_ARGS="-l /etc/irqbalance.d"\n';
  expect(addPolicyFolder(text, folder)).toBe(text);
});

test.each([
  'IRQBALANCE_ARGS="$OTHER"',
  "IRQBALANCE_ARGS=a\\",
  'IRQBALANCE_ARGS="a" # b',
  'IRQBALANCE_ARGS="a',
])("%j is not touched", (text) => {
  expect(addPolicyFolder(text, folder)).toBeUndefined();
});

test("what was added is taken away, and is added once", () => {
  const line = fc.constantFrom(
    "",
    "# a",
    "IRQBALANCE_ONESHOT=",
    'IRQBALANCE_ARGS="-t 5"',
    "IRQBALANCE_ARGS=",
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((each) => `${each}\n`).join("");
      const added = addPolicyFolder(text, folder) ?? "";
      expect(removePolicyFolder(added)).toBe(text);
      expect(addPolicyFolder(added, folder)).toBe(added);
    }),
  );
});
