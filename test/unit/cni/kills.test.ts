// A kill -9 after every single host call of ADD and DEL, and no DEL that follows: GC, or repair once the namespace is gone, undoes it.

import { expect, test } from "vitest";

import { ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { applyRepair, planRepair } from "../../../sriov/repair.ts";
import { callCni } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";
import { createKillNode, killCases, type KillCase } from "../../support/kill-cases.ts";

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

async function collect(node: FakeHost, { config, call }: KillCase): Promise<string> {
  const { prevResult: _none, ...network } = config as { readonly prevResult?: object };
  const list = { ...network, "cni.dev/valid-attachments": [] };
  expect(await callCni(node.host, list, { ...call, command: "GC" })).toMatchObject({ exitCode: 0 });
  return node.toText();
}

async function repair(node: FakeHost): Promise<string> {
  node.removeNetns("web-1", 500);
  await node.clock.advance(1000);
  const { host } = node;
  const rule = ofGoneOwners(host, () => undefined);
  const outcomes = await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs: 0 });
  expect(outcomes.filter(({ problem }) => problem !== undefined)).toEqual([]);
  return node.toText();
}
