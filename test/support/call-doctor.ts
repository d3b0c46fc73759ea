// Runs `virtfn doctor` on a fake node.

import type { Finding } from "../../cli/doctor/check.ts";
import { runDoctor } from "../../cli/doctor/main.ts";
import type { DoctorNode } from "./doctor-node.ts";

/** What `--json` prints. */
export interface DoctorReport {
  readonly checks: readonly { readonly check: string; readonly findings: readonly Finding[] }[];
}

export interface Told extends Finding {
  readonly check: string;
}

/** Exit code and what it printed. */
export async function callDoctor(
  node: DoctorNode,
  args: readonly string[] = [],
  isTerminal = false,
): Promise<{ readonly exitCode: number; readonly text: string }> {
  let text = "";
  const listPods = async (): Promise<DoctorNode["pods"]> => node.pods;
  const print = (part: string): void => void (text += part);
  const exitCode = await runDoctor(node.host, args, { print, isTerminal, listPods });
  return { exitCode, text };
}

/** Exit code and all findings that are not `ok`, by `--json`. */
export async function findTrouble(
  node: DoctorNode,
): Promise<{ readonly exitCode: number; readonly told: readonly Told[] }> {
  const { exitCode, text } = await callDoctor(node, ["--json"]);
  const { checks } = JSON.parse(text) as DoctorReport;
  const all = checks.flatMap(({ check, findings }) =>
    findings.map((finding) => Object.assign({ check }, finding)),
  );
  return { exitCode, told: all.filter(({ severity }) => severity !== "ok") };
}
