// A CNI call of this process: its environment and stdin in, the answer out. What can be is answered before the rest is loaded.

import { openNodeReader, type StdinStart } from "../host/node-reader.ts";
import { answerQuickly } from "./answer-quickly.ts";

// Verbs that may be answered quickly.
const quickVerbs: readonly unknown[] = ["ADD", "STATUS", "VERSION"];

/**
 * Answers the call on a node whose files lie below `root`: `/`, but for tests and benches. A quick answer is there when this
 * returns: it takes no promise, whose first use would cost 0.03 ms, as writing an exit code of 0 would.
 */
export function runProcess(root: string): Promise<void> | undefined {
  const reader = quickVerbs.includes(Bun.env["CNI_COMMAND"]) ? openNodeReader(root) : undefined;
  const start = reader?.readStdin();
  if (reader === undefined || start?.isWhole !== true) return runWhole(root, start);
  const answer = answerQuickly(Bun.env, new TextDecoder().decode(start.bytes), () => reader);
  if (answer === undefined) return runWhole(root, start);
  if (answer !== "") console.log(answer);
  return undefined;
}

async function runWhole(root: string, start: StdinStart | undefined): Promise<void> {
  const { runWholeProcess } = await import("./whole-process.ts");
  await runWholeProcess(root, start);
}
