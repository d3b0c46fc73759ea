// The bench in an emulated node, followed from outside while it runs: each measurement counts as soon as it is made.

import type { LabNode } from "../../lab/node/lab-node.ts";
import type { GuestLine } from "./guest-main.ts";
import type { BenchOutcome, BenchTools } from "./host-bench.ts";

interface FollowOptions extends Pick<BenchTools, "progress" | "measured" | "signal"> {
  readonly timeoutMs: number;
  readonly lookEachMs?: number;
}

const output = "/var/tmp/vbench.jsonl";

/** Runs `command` (guest-main with its options) in `node` and passes on what it tells; gives its outcome. Throws when it fails. */
export async function followGuest(
  node: Pick<LabNode, "run" | "exec">,
  command: string,
  { progress, measured, signal, timeoutMs, lookEachMs = 2_000 }: FollowOptions,
): Promise<BenchOutcome> {
  let isOver = false;
  const running = node.run(`${command} >${output}`, { timeoutMs }).finally(() => {
    isOver = true;
  });
  // Awaited at the end, when its last lines have been passed on.
  running.catch(() => {});
  let told = 0;
  let outcome: BenchOutcome | undefined;
  for (;;) {
    signal.throwIfAborted();
    const isLastLook = isOver;
    const { stdout } = await node.exec(`tail -n +${told + 1} ${output} 2>/dev/null`);
    // The last one may be half written.
    const lines = stdout.split("\n").slice(0, -1);
    told += lines.length;
    for (const line of lines) {
      const heard = JSON.parse(line) as GuestLine;
      if ("progress" in heard) progress(heard.progress);
      else if ("measured" in heard) measured(heard.measured);
      else outcome = heard.outcome;
    }
    if (isLastLook) break;
    await Promise.race([running.catch(() => {}), Bun.sleep(lookEachMs)]);
  }
  await running;
  if (outcome === undefined) throw new Error(`the bench in the guest ended without an outcome: ${command}`);
  return outcome;
}
