// The storm on real VFs in short; in full it is test/soak-lab/storm.test.ts.
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { endStorm, prepareStorm, runStorm } from "../support/node-storm.ts";

const { node } = await openLabUnderTest();

beforeAll(async () => prepareStorm(node));

afterAll(async () => endStorm(node));

test("pods come and go at once, with calls killed: every answer is a success or 'try again', and the node is as before", async () => {
  expect(await runStorm(node, 4)).toEqual([]);
});
