// What the device plugin loads: the client of the API server costs memory, and most nodes do not ask it.

import { expect, test } from "vitest";

import { listModules, readBundle } from "../../support/bundle-modules.ts";

const client = "node_modules/@kubernetes/client-node/";

test("the client of the API server is in a chunk of its own, which the device plugin does not load at its start", async () => {
  const outputs = await readBundle("cli/main.ts");
  const atStart = listModules(outputs, "deviceplugin/main.ts");
  expect(atStart.some((module) => module.endsWith("deviceplugin/cluster-client.ts"))).toBe(true);
  expect(atStart.filter((module) => module.includes(client))).toEqual([]);
  const chunks = Object.values(outputs).filter(({ inputs }) =>
    Object.keys(inputs).some((module) => module.includes(client)),
  );
  expect(chunks.length).toBeGreaterThan(0);
});
