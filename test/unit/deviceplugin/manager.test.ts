// The manager before it has seen the node.

import { pino } from "pino";
import { expect, test } from "vitest";

import { Manager } from "../../../deviceplugin/manager.ts";
import { createMetrics } from "../../../deviceplugin/metrics.ts";
import { createHost } from "../../../host/create-host.ts";

test("is not ready before it was told what the node has: a node that cannot be scanned is never ready", () => {
  const host = { ...createHost(), uevents: { subscribe: () => ({ [Symbol.dispose]: () => {} }) } };
  const manager = new Manager(host, createMetrics(host), pino({ enabled: false }), { useCdi: false });
  expect(manager.whyNotReady()).toBe("the devices of the node were not read yet");
});
