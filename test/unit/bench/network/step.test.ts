// Tests test/bench/network/step.ts.

import { expect, test } from "vitest";

import { type Command, type Step, TakeDownError, withSteps } from "../../../bench/network/step.ts";

function step(name: string): Step {
  return { apply: { argv: ["do", name] }, undo: { argv: ["undo", name] } };
}

/** A node that is the list of what was done to it; commands in `failing` change nothing. */
function createNode(...failing: readonly string[]) {
  const calls: string[] = [];
  const run = async ({ argv }: Command): Promise<string> => {
    const text = argv.join(" ");
    if (failing.includes(text)) throw new Error(`refused ${text}`);
    calls.push(text);
    return "";
  };
  return { run, calls };
}

function refuse(printed: string): void {
  throw new Error(`"${printed}" will not do`);
}

test("what was done is undone backwards, and the value handed on", async () => {
  const { run, calls } = createNode();
  expect(await withSteps(run, [step("a"), { undo: { argv: ["tidy"] } }, step("b")], async () => 7)).toBe(7);
  expect(calls).toEqual(["do a", "do b", "undo b", "tidy", "undo a"]);
});

test("a step that fails leaves nothing of the steps before", async () => {
  const { run, calls } = createNode("do b");
  await expect(withSteps(run, [step("a"), step("b"), step("c")], async () => 7)).rejects.toThrow(
    "refused do b",
  );
  expect(calls).toEqual(["do a", "undo a"]);
});

test("a failure in between is thrown after all is undone", async () => {
  const { run, calls } = createNode();
  const work = withSteps(run, [step("a")], async () => {
    throw new Error("no luck");
  });
  await expect(work).rejects.toThrow("no luck");
  expect(calls).toEqual(["do a", "undo a"]);
});

test("an undo that fails after another failure hides neither", async () => {
  const { run } = createNode("do b", "undo a");
  const work = withSteps(run, [step("a"), step("b")], async () => 7);
  await expect(work).rejects.toThrow("refused do b\nnot taken back:\n- Error: refused undo a");
});

test("an undo that fails keeps no other from being done, and is told", async () => {
  const { run, calls } = createNode("undo b");
  const work = withSteps(run, [step("a"), step("b"), step("c")], async () => 7);
  await expect(work).rejects.toThrow(TakeDownError);
  expect(calls).toEqual(["do a", "do b", "do c", "undo c", "undo a"]);
});

test("a step whose output tells that it failed is taken back with those before", async () => {
  const { run, calls } = createNode();
  const work = withSteps(run, [step("a"), { ...step("b"), check: refuse }, step("c")], async () => 7);
  await expect(work).rejects.toThrow('"" will not do');
  expect(calls).toEqual(["do a", "do b", "undo b", "undo a"]);
});

test("a step that is not done at once is done again until it is, and its last word counts", async () => {
  const printed = ["no", "yes"];
  const checked: string[] = [];
  const step = {
    apply: { argv: ["place"] },
    isDone: (text: string) => text === "yes",
    check: (text: string) => void checked.push(text),
  };
  await withSteps(
    async () => printed.shift() ?? "too often",
    [step],
    async () => undefined,
  );
  expect(checked).toEqual(["yes"]);
});
