// A CNI call of this process: its environment and stdin in, the answer out. What can be is answered before the rest is loaded.

import { createNodeReader, type NodeReader } from "../host/node-reader.ts";
import { readStdinStart, type StdinStart } from "../host/stdin-start.ts";
import { answerQuickly } from "./answer-quickly.ts";

/** The output of a process. */
export type Output = Pick<Console, "log" | "error">;

/** What was done of a call that is not answered quickly. */
export interface Opened {
  readonly start?: StdinStart;
  readonly reader?: NodeReader;
}

/**
 * Answers the call on a node whose files lie below `root`: `/`, but for tests and benches. A quick answer is there when this
 * returns: it takes no promise, whose first use would cost 0.03 ms, as writing an exit code of 0 would.
 */
export function runProcess(root: string, output: Output): Promise<void> | undefined {
  if (!mayBeQuick(Bun.env["CNI_COMMAND"])) return runWhole(root, output, {});
  const opened = { start: readStdinStart(), reader: createNodeReader(root) };
  const { bytes, isWhole } = opened.start;
  const answer = isWhole
    ? answerQuickly(Bun.env, new TextDecoder().decode(bytes), () => opened.reader)
    : undefined;
  if (answer === undefined) return runWhole(root, output, opened);
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
