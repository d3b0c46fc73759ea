// `virtfn tuning --once` and an irqbalance that is late: who prints into a pipe that nobody reads ends there.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { run } from "../../../tuning/main.ts";
import { createTuningNode } from "../../support/tuning-node.ts";

test("it prints when no answer of irqbalance is waited for any more, which that would die of", async () => {
  using node = createTuningNode(1);
  const order: string[] = [];
  const localSockets: Host["localSockets"] = {
    ...node.host.localSockets,
    whenDone: async () => void order.push("answered"),
  };
  const uevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };
  await run({ ...node.host, localSockets, uevents }, ["--once"], () => void order.push("printed"));
  expect(order).toEqual(["answered", "printed"]);
});
