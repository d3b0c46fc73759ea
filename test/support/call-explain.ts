// Runs `virtfn explain` on a fake node.

import { runExplain } from "../../cli/explain/main.ts";
import type { Explanation, Step } from "../../cli/explain/step.ts";
import type { DoctorNode } from "./doctor-node.ts";

/** Exit code and what it printed. */
export async function callExplain(
  node: DoctorNode,
  args: readonly string[],
  isTerminal = false,
): Promise<{ readonly exitCode: number; readonly text: string }> {
  let text = "";
  const print = (part: string): void => void (text += part);
  const listPods = async (): Promise<DoctorNode["pods"]> => node.pods;
  const exitCode = await runExplain(node.host, args, { print, isTerminal, listPods });
  return { exitCode, text };
}

/** All steps of an explanation, in order. */
export function listSteps({ steps, vfs }: Explanation): readonly Step[] {
  return [...steps, ...vfs.flatMap((vf) => vf.steps)];
}
