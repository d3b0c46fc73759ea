// The storm of test/lab/cni/storm.test.ts in full. VIRTFN_SEED runs one again.
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLabUnderTest } from "../lab/support/lab-under-test.ts";
import { endStorm, prepareStorm, runStorm } from "../lab/support/node-storm.ts";

const { node } = await openLabUnderTest();
/** Of each of seven pods; an ADD and a DEL at least in each. */
const lives = 100;

beforeAll(async () => prepareStorm(node));

afterAll(async () => endStorm(node));

test(`${lives} lives of each pod, with calls killed, leave nothing behind`, async () => {
  expect(await runStorm(node, lives)).toEqual([]);
});
