// Messages to irqbalance and its answers; the answers are those of irqbalance 1.9.2.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { parseSetup, readBans, takeFitting, writeBans } from "../../../../tuning/irqbalance/ban-list.ts";
import { codeOf } from "../../../support/code-of.ts";
import { createFakeHost } from "../../../support/fake-host.ts";
import { startIrqBalance } from "../../../support/fake-irqbalance.ts";

test.each([
  ["SLEEP 2 BANNED 00000000", []],
  ["SLEEP 10 IRQ 40 LOAD 0 DIFF 0 CLASS 0 IRQ 36 LOAD 0 DIFF 0 CLASS 0 BANNED 00000000", [36, 40]],
])("%s", (text, irqs) => {
  expect(parseSetup(text)).toEqual(irqs);
});

test("an answer that is none is an error", () => {
  expect(codeOf(() => parseSetup(""))).toBe("ERR_IRQBALANCE");
  expect(codeOf(() => parseSetup("HTTP/1.1 400"))).toBe("ERR_IRQBALANCE");
});

test("the list that is told is the list that is asked for, whatever was in it before", async () => {
  using fake = createFakeHost();
  const irqbalance = startIrqBalance(fake, { pid: 77, bans: [9] });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 4000 })), async (some) => {
      const irqs = takeFitting(
        [],
        some.toSorted((a, b) => a - b),
      );
      await writeBans(fake.host, irqbalance.pid, irqs);
      expect(await readBans(fake.host, irqbalance.pid)).toEqual(irqs);
    }),
  );
});

test("a list that irqbalance would cut in the middle of a number is not sent", async () => {
  using fake = createFakeHost();
  const irqbalance = startIrqBalance(fake, { pid: 77 });
  const irqs = Array.from({ length: 121 }, (_, at) => 100 + at);
  await expect(writeBans(fake.host, 77, irqs)).rejects.toMatchObject({ code: "ERR_IRQBALANCE" });
  expect(irqbalance.looks).toBe(0);
  expect(takeFitting(irqs.slice(0, 100), irqs.slice(100))).toEqual(irqs.slice(100, 120));
  await writeBans(fake.host, 77, irqs.slice(0, 120));
  expect(irqbalance.bans).toEqual(irqs.slice(0, 120));
});

test("one that has an abstract socket is asked there", async () => {
  using fake = createFakeHost();
  for (const name of ["\0irqbalance77.sock", "\0".repeat(108)]) {
    fake.sockets.servers.clear();
    fake.sockets.servers.set(name, () => "SLEEP 10 IRQ 4 LOAD 0 DIFF 0 CLASS 0 BANNED 0");
    expect(await readBans(fake.host, 77)).toEqual([4]);
  }
  fake.sockets.servers.clear();
  await expect(readBans(fake.host, 77)).rejects.toThrow("process 77 cannot be asked: connect(");
});
