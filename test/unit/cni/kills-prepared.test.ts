// A kill -9 after every single host call of an ADD that first makes VFs, or gives back what a pod before left.

import { expect, test } from "vitest";

import { callCni, podArgs } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";
import { collectAll, endPod, repairAll } from "../../support/kill-undo.ts";
import {
  createPreparedNode,
  preparedKillCases,
  type PreparedKillCase,
} from "../../support/prepared-kill-cases.ts";

/** Hundreds of nodes are made in one test. */
const slowMs = 120_000;
const web2 = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };

const undos: Readonly<Record<string, (node: FakeHost, one: PreparedKillCase) => Promise<void>>> = {
  DEL: async (node, { config, call }) => {
    expect(await callCni(node.host, config, { ...call, command: "DEL" })).toMatchObject({ exitCode: 0 });
  },
  GC: async (node, one) => {
    await collectAll(node.host, one);
  },
  repair: async (node) => {
    await endPod(node);
    await repairAll(node.host);
  },
};

for (const one of preparedKillCases)
  test.each(Object.keys(undos))(
    `ADD ${one.name}, killed at any host call, leaves nothing after %s and the next pod`,
    async (undo) => {
      const whole = await runAdd(one, undo, undefined);
      expect(whole.total).toBeGreaterThan(20);
      for (let at = 0; at < whole.total; at += 1) {
        const { undone, end } = await runAdd(one, undo, at);
        expect({ at, end }).toEqual({ at, end: whole.end });
        // DEL is of the new pod: what the old one left is none of its business.
        const isAll = undo !== "DEL" && one.isMadeByAddOnly !== true;
        expect({ at, undone }).toEqual({ at, undone: isAll ? whole.end : undone });
      }
    },
    slowMs,
  );

/** ADD on a prepared node, killed after call number `killAt`, the undoing of it, and a whole ADD and DEL of the next pod. */
async function runAdd(
  one: PreparedKillCase,
  undo: string,
  killAt: number | undefined,
): Promise<{ readonly total: number; readonly undone: string; readonly end: string }> {
  using node = createPreparedNode(one);
  await one.prepare(node);
  const faulty = withFault(node.host, killAt === undefined ? undefined : { at: killAt, how: "killAfter" });
  const { exitCode } = await callCni(faulty.host, one.config, one.call);
  expect(exitCode === 0 || killAt !== undefined).toBe(true);
  node.endProcess();
  await undos[undo]?.(node, one);
  const undone = textOf(node);
  for (const command of ["ADD", "DEL"])
    expect({ killAt, ...(await callCni(node.host, one.config, { ...web2, command })) }).toMatchObject({
      killAt,
      exitCode: 0,
    });
  // VFs that nobody took may not be named yet.
  await node.clock.advance(1000);
  return { total: faulty.calls.length, undone, end: textOf(node) };
}

// Records that could not be read stay aside; of a namespace's own line only what is below it counts.
function textOf(node: FakeHost): string {
  return node.toText().replaceAll(/^(?:quarantine .*|\/run\/netns\/.*)\n?/gm, "");
}
