// A kill -9 after every single host call of ADD and DEL, and no DEL that follows: GC, or repair once the namespace is gone, undoes it.
// They can be killed themselves: the next one completes it.

import { expect, test } from "vitest";

import { callCni } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";
import { createKillNode, killCases, type KillCase } from "../../support/kill-cases.ts";
import { collectAll, endPod, repairAll } from "../../support/kill-undo.ts";

/** Hundreds of nodes are made in one test. */
const slowMs = 120_000;

for (const one of killCases)
  for (const verb of ["ADD", "DEL"])
    test(
      `GC, and repair, undo ${verb} ${one.name} that was killed at any host call`,
      async () => {
        const total = await runVerb(one, verb, undefined, async () => undefined);
        expect(total).toBeGreaterThan(20);
        for (let at = 0; at < total; at += 1)
          for (const undo of [collect, repair])
            await runVerb(one, verb, at, async (node, before) => {
              const text = await undo(node, one);
              const expected = undo === repair ? before.replace(/\/run\/netns\/web-1\n?/, "") : before;
              expect({ at, undo: undo.name, text: text.trimEnd() }).toEqual({
                at,
                undo: undo.name,
                text: expected.trimEnd(),
              });
            });
      },
      slowMs,
    );

/** The verb on a new node, killed after call number `killAt`; then `judge`. Returns how many calls it made. */
async function runVerb(
  one: KillCase,
  verb: string,
  killAt: number | undefined,
  judge: (node: FakeHost, before: string) => Promise<void>,
): Promise<number> {
  using node = createKillNode(one);
  const before = node.toText();
  if (verb === "DEL") await callCni(node.host, one.config, one.call);
  const faulty = withFault(node.host, killAt === undefined ? undefined : { at: killAt, how: "killAfter" });
  const { exitCode } = await callCni(faulty.host, one.config, { ...one.call, command: verb });
  expect(exitCode === 0 || killAt !== undefined).toBe(true);
  node.endProcess();
  await judge(node, before);
  return faulty.calls.length;
}

async function collect(node: FakeHost, one: KillCase): Promise<string> {
  await collectAll(node.host, one);
  return node.toText();
}

async function repair(node: FakeHost): Promise<string> {
  await endPod(node);
  await repairAll(node.host);
  return node.toText();
}

for (const one of killCases.slice(3))
  test.each(["GC", "repair"])(
    `%s of an ADD ${one.name} that is killed at any host call is completed by the next`,
    async (verb) => {
      const total = await runUndo(one, verb, undefined);
      expect(total).toBeGreaterThan(20);
      for (let at = 0; at < total; at += 1) await runUndo(one, verb, at);
    },
    slowMs,
  );

/** GC or repair of what one pod has, killed after call number `killAt`, and a whole one after it; how many calls the first made. */
async function runUndo(one: KillCase, verb: string, killAt: number | undefined): Promise<number> {
  using node = createKillNode(one);
  const before = node.toText();
  expect(await callCni(node.host, one.config, one.call)).toMatchObject({ exitCode: 0 });
  const isGc = verb === "GC";
  if (!isGc) await endPod(node);
  const expected = isGc ? before : before.replace(/\/run\/netns\/web-1\n?/, "");
  const faulty = withFault(node.host, killAt === undefined ? undefined : { at: killAt, how: "killAfter" });
  await (isGc ? collectAll : repairAll)(faulty.host, one).catch((error: unknown) => {
    if (!faulty.isHit()) throw error;
  });
  node.endProcess();
  const once = node.toText().trimEnd();
  expect(killAt !== undefined || once === expected.trimEnd()).toBe(true);
  await (isGc ? collectAll : repairAll)(node.host, one);
  expect({ killAt, text: node.toText().trimEnd() }).toEqual({ killAt, text: expected.trimEnd() });
  return faulty.calls.length;
}
