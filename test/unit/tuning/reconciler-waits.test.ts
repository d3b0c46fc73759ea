// How long the daemon's loop waits: after a pass, after one that failed, and until a rest ends.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { writeContestedPins } from "../../../sriov/contested-pins.ts";
import { pinCheckMs } from "../../../tuning/pin-watch.ts";
import { longestRestMs, pollMs, retryDelaysMs } from "../../../tuning/reconciler.ts";
import { startLoop } from "../../support/tuning-loop.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { waitFor } from "../../support/wait-for.ts";

/** The waits of a loop, once it has pinned a VF that came after its first pass; `slow`: files that take milliseconds of its clock. */
async function followOne(
  node: TuningNode,
  slow: (take: (ms: number) => void) => Partial<Host["files"]>,
): Promise<readonly number[]> {
  let elapsedMs = 0;
  const files = { ...node.host.files, ...slow((ms) => (elapsedMs += ms)) };
  const loop = startLoop(node, { files }, () => elapsedMs);
  await waitFor("the poll", () => loop.sleepsMs.includes(pollMs));
  node.attach(0, "web-1");
  await waitFor("the pins", () => node.affinities(0) === "0 1 0-3");
  await loop.end();
  return loop.sleepsMs;
}

test("leaves the node alone after a pass for four times as long as the pass took", async () => {
  using node = createTuningNode(1);
  // Each pass looks at the records once.
  const sleepsMs = await followOne(node, (take) => listingRecords(node, () => take(30)));
  expect(sleepsMs.slice(0, 2)).toEqual([pollMs, 120]);
});

test("leaves it alone for a second at most: a pin that is changed meanwhile has to be back within 5", async () => {
  using node = createTuningNode(1);
  const sleepsMs = await followOne(node, (take) => listingRecords(node, () => take(1_300)));
  expect(sleepsMs.slice(0, 2)).toEqual([pollMs, longestRestMs]);
  expect(pinCheckMs + longestRestMs).toBeLessThan(5_000);
});

test("counts no wait for the kubelet as work: the node is not left alone for that", async () => {
  using node = createTuningNode(1);
  // As a kubelet that hangs does, this comes before the look at the records.
  const sleepsMs = await followOne(node, (take) => ({
    readText: (path) => {
      if (path === node.host.paths.pools) take(1_000);
      return node.host.files.readText(path);
    },
  }));
  expect(sleepsMs.filter((ms) => ms !== pollMs)).toEqual([]);
});

test("looks again when a rest ends, not at the poll after it", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const restsUntil = new Date(Date.now() + 5_000).toISOString();
  const pin = { vf: node.address(0), msiIndex: 1, by: "unknown", undone: 4, restSeconds: 60 } as const;
  writeContestedPins(node.host, [{ ...pin, restsUntil }]);
  const loop = startLoop(node);
  await waitFor("a pause", () => loop.sleepsMs.length > 0);
  await loop.end();
  expect(loop.sleepsMs[0]).toBeGreaterThan(0);
  expect(loop.sleepsMs[0]).toBeLessThanOrEqual(5_000);
});

test("survives a pass that fails as a whole", async () => {
  using node = createTuningNode(1);
  const loop = startLoop(node, { files: failingOnce(node, new Error("no folder today")) });
  await waitFor("the failure", () => loop.lines.some(({ msg }) => msg === "a pass failed"));
  node.attach(0, "web-1");
  await waitFor("the pins", () => node.affinities(0) === "0 1 0-3");
  await loop.end();
  expect(loop.lines.map(({ msg }) => msg)).toEqual(["a pass failed", "tuned"]);
});

test("tries a pass that failed as a whole again soon, without an event: nobody looks at the pins until then", async () => {
  using node = createTuningNode(1);
  node.attach(0, "web-1");
  const error = new SystemCallError("readdir", node.host.paths.attachments, "EMFILE");
  const loop = startLoop(node, { files: failingOnce(node, error) });
  await waitFor("the pins", () => node.affinities(0) === "0 1 0-3");
  await waitFor("the poll", () => loop.sleepsMs.includes(pollMs));
  await loop.end();
  expect(loop.sleepsMs).toEqual([retryDelaysMs[0], pollMs]);
});

/** `act` comes before each look at the records. */
function listingRecords({ host }: TuningNode, act: () => void): Pick<Host["files"], "list"> {
  return {
    list: (path) => {
      if (path === host.paths.attachments) act();
      return host.files.list(path);
    },
  };
}

/** The first look at the records fails. */
function failingOnce(node: TuningNode, error: Error): Host["files"] {
  let failures = 1;
  const act = (): void => {
    if (failures-- > 0) throw error;
  };
  return { ...node.host.files, ...listingRecords(node, act) };
}
