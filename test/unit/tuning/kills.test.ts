// A kill -9 after every host call of a pass but plain reads, for each kind of change: the next process ends in the same state.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { withFault } from "../../support/faults.ts";
import {
  createTuningKillNode,
  laterRelease,
  type TuningKillCase,
  tuningKillCases,
} from "../../support/tuning-kill-cases.ts";
import type { TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

/** Dozens of nodes are made in one test. */
const slowMs = 60_000;

/** A process that dies at one of these leaves what the call before left; any other call counts, a new one too. */
const plainRead = /^(files\.(readText|readLink|realPath|list|stat)|clock\.bootId)$|\(\)\.(readText|list)$/;

const vfs = [0, 1, 2];
const noUevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };

for (const one of tuningKillCases) {
  test(
    `tuning for ${one.name}, killed at any write and started again, ends in the same state`,
    async () => {
      const whole = await runProcess(one, undefined);
      expect(whole.calls.length).toBeGreaterThan(20);
      for (const [at, call] of whole.calls.entries()) {
        if (plainRead.test(call)) continue;
        const { text, restored } = await runProcess(one, at);
        const expected = { at, call, text: whole.text, restored: whole.restored };
        expect({ at, call, text, restored }).toEqual(expected);
      }
    },
    slowMs,
  );

  test(`after tuning for ${one.name} the next process changes nothing`, async () => {
    using node = await createTuningKillNode(one);
    await act(one, node.host);
    node.fake.endProcess();
    expect(one.isUndone === true ? listRecords(node) : await listWrites(node)).toEqual([]);
  });
}

test("pins that a later release noted are taken over without a write", async () => {
  using node = await createTuningKillNode(laterRelease);
  expect(await listWrites(node)).toEqual([]);
  expect(node.affinities(0)).toBe("0 1 0-3");
});

interface End {
  readonly calls: readonly string[];
  /** What the node is when tuning has done its work. */
  readonly text: string;
  /** The same when the pods are gone and all is put back. */
  readonly restored: string;
}

/** A process that is killed after call number `killAt`, and where it was another one that does the rest. */
async function runProcess(one: TuningKillCase, killAt: number | undefined): Promise<End> {
  using node = await createTuningKillNode(one);
  const faulty = withFault(node.host, killAt === undefined ? undefined : { at: killAt, how: "killAfter" });
  try {
    await act(one, faulty.host);
  } catch (error) {
    if (!faulty.isHit()) throw error;
  }
  expect(faulty.isHit()).toBe(killAt !== undefined);
  node.fake.endProcess();
  if (killAt !== undefined) await act(one, node.host);
  const text = describe(node);
  expect(one.isUndone === true ? listRecords(node) : []).toEqual([]);
  for (const vf of vfs) if (isAttached(node, vf)) node.detach(vf, `web-${vf}`);
  await passOnce(node.host);
  expect(listRecords(node)).toEqual([]);
  return { calls: faulty.calls, text, restored: describe(node) };
}

async function act({ act: run }: TuningKillCase, host: TuningNode["host"]): Promise<unknown> {
  return run === undefined ? passOnce(host) : run({ ...host, uevents: noUevents });
}

/** Affinities, masks, and all that tuning noted. */
function describe(node: TuningNode): string {
  const threads = vfs
    .filter((vf) => isAttached(node, vf))
    .map((vf) => `threaded web-${vf}: ${node.value(`web-${vf}`, "threaded")}`);
  const masks = vfs
    .filter((vf) => isAttached(node, vf))
    .map((vf) => `rps of web-${vf}: ${node.mask(`web-${vf}`)}`);
  const records = listRecords(node).map((name) =>
    // Each node is another folder.
    fs.readFileSync(join(node.host.paths.tuningState, name), "utf8").replace(/"inode": "\d+"/, ""),
  );
  const flows = `socket flows: ${node.socketFlows()}`;
  return [
    ...vfs.map((vf) => node.affinities(vf)),
    flows,
    ...threads,
    ...masks,
    ...records,
    node.fake.toText(),
  ].join("\n");
}

function listRecords({ host }: TuningNode): readonly string[] {
  return host.files.list(host.paths.tuningState) ?? [];
}

function isAttached(node: TuningNode, vf: number): boolean {
  const { files, paths } = node.host;
  return files.stat(join(paths.attachments, `${node.address(vf)}.json`)) !== undefined;
}
