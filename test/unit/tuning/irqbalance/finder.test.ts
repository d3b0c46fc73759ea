// When a look finds another irqbalance than before.

import { expect, test } from "vitest";

import { IrqBalanceFinder } from "../../../../tuning/irqbalance/finder.ts";
import { createFakeHost } from "../../../support/fake-host.ts";
import { startIrqBalance } from "../../../support/fake-irqbalance.ts";

test("one that comes or ends is told once, also where nobody gets so far as to look for it", () => {
  using fake = createFakeHost([]);
  const finder = new IrqBalanceFinder(fake.host);
  const look = (): readonly boolean[] => [finder.hasChanged(), finder.hasChanged()];
  expect(look()).toEqual([false, false]);
  const first = startIrqBalance(fake, { pid: 77 });
  expect(look()).toEqual([true, false]);
  first.end();
  expect(look()).toEqual([false, false]);
  const second = startIrqBalance(fake, { pid: 78 });
  expect(look()).toEqual([true, false]);
  expect([finder.find()?.pid, ...look()]).toEqual([78, false, false]);
  second.end();
  expect(look()).toEqual([true, false]);
  expect([finder.find(), ...look()]).toEqual([undefined, false, false]);
  startIrqBalance(fake, { pid: 78 });
  expect(look()).toEqual([true, false]);
});
