// Command lines of irqbalance, in every form that getopt_long takes.

import { expect, test } from "vitest";

import { parseIrqBalanceArguments } from "../../../../tuning/irqbalance/command-line.ts";

test.each([
  ["", undefined, []],
  ["--foreground -d", undefined, []],
  ["--policyscript=/etc/p --banirq=41", "/etc/p", [41]],
  ["--policyscript /etc/p --banirq 41 -i 40 -i40", "/etc/p", [40, 41]],
  ["-l /etc/p", "/etc/p", []],
  ["-fl/etc/p", "/etc/p", []],
  ["-fdl /etc/p", "/etc/p", []],
  ["--pol=/etc/p --po=2", "/etc/p", []],
  ["-t 10 -l /a -l /b", "/b", []],
  ["--pid -l --foreground", undefined, []],
  ["-s -l", undefined, []],
  ["-m ixgbe -i forty", undefined, []],
  ["-- -l /etc/p", undefined, []],
  ["-l", "", []],
] as const)("%s", (line, policyScript, bannedIrqs) => {
  expect(parseIrqBalanceArguments(line.split(" ").filter(Boolean))).toEqual({ policyScript, bannedIrqs });
});
