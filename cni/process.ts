// A CNI call of this process: its environment and stdin in, the answer out. What can be is answered before the rest is loaded.

import { openNodeReader, type NodeReader, type StdinStart } from "../host/node-reader.ts";
import { answerQuickly } from "./answer-quickly.ts";

/** The output of a process. */
export type Output = Pick<Console, "log" | "error">;

/** What was done of a call that is not answered quickly. */
export interface Opened {
  readonly start: StdinStart | undefined;
  readonly reader: NodeReader | undefined;
}

/**
 * Answers the call on a node whose files lie below `root`: `/`, but for tests and benches. A quick answer is there when this
 * returns: it takes no promise, whose first use would cost 0.03 ms, as writing an exit code of 0 would.
 */
export function runProcess(root: string, output: Output): Promise<void> | undefined {
  const reader = mayBeQuick(Bun.env["CNI_COMMAND"]) ? openNodeReader(root) : undefined;
  const start = reader?.readStdin();
  if (reader === undefined || start?.isWhole !== true) return runWhole(root, output, { start, reader });
  const answer = answerQuickly(Bun.env, new TextDecoder().decode(start.bytes), () => reader);
  if (answer === undefined) return runWhole(root, output, { start, reader });
  if (answer !== "") output.log(answer);
  return undefined;
}

function mayBeQuick(verb: string | undefined): boolean {
  return verb === "ADD" || verb === "STATUS" || verb === "VERSION";
}

async function runWhole(root: string, output: Output, opened: Opened): Promise<void> {
  const { runWholeProcess } = await import("./whole-process.ts");
  await runWholeProcess(root, output, opened);
}
