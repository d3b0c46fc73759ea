// `npm run demo [-- --keep]`: the main job on an emulated SR-IOV node with a real Kubernetes, from nothing; ends with a summary.
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { onInterrupt } from "../interrupt.ts";
import { type Lab, startLab } from "../lab.ts";
import { prepareLab } from "../prepare/prepare.ts";
import { LabRequirementsError } from "../prepare/requirements.ts";
import { createProgress } from "../progress.ts";
import { runSteps } from "./run-steps.ts";
import { createDemoSteps, demoVfs } from "./steps.ts";

const usage = `npm run demo [-- OPTIONS]

The main job on an emulated SR-IOV node with a real Kubernetes: prepared, booted, installed, shown, ended.

  --keep   leaves the lab running at the end, and prints how to use it
  --help   this text`;

/** The exit code: 0 all shown, 1 something was not as it should be, 2 not understood, 130 interrupted. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "number") return options;
  const started = performance.now();
  const signal = onInterrupt();
  const dir = mkdtempSync(join(tmpdir(), "virtfn-demo-"));
  try {
    const isShown = await prepareAndShow({ dir, signal, isKept: options.keep });
    return isShown ? 0 : exitCodeOf(signal);
  } catch (error) {
    say(`\n${textOf(error)}`);
    return exitCodeOf(signal);
  } finally {
    say(`\n${((performance.now() - started) / 1000).toFixed(0)} s in all${whereLogsAre(dir)}`);
  }
}

/** Names the logs; where no lab was started there are none, and the folder goes. */
function whereLogsAre(dir: string): string {
  const logs = join(dir, "logs");
  if (existsSync(logs)) return `; the logs are in ${logs}`;
  rmSync(dir, { recursive: true });
  return "";
}

/** The options, or the exit code where there is nothing to show. */
function readOptions(args: readonly string[]): { readonly keep: boolean } | number {
  const flag = { type: "boolean", default: false } as const;
  try {
    const { keep, help } = parseArgs({ args: [...args], options: { keep: flag, help: flag } }).values;
    if (!help) return { keep };
    say(usage);
    return 0;
  } catch (error) {
    say(`npm run demo: ${textOf(error)}\n\n${usage}`);
    return 2;
  }
}

interface DemoOptions {
  readonly dir: string;
  readonly signal: AbortSignal;
  readonly isKept: boolean;
}

/** Whether all steps showed what they are to show. */
async function prepareAndShow({ dir, signal, isKept }: DemoOptions): Promise<boolean> {
  const progress = createProgress();
  const artifacts = await prepareLab({ progress, signal });
  await using lab = await startLab({ artifacts, progress, signal, dir, numVfs: [demoVfs, 0] });
  const steps = createDemoSteps({ node: lab.node, kubectl: lab.kubectl, toolsImage: artifacts.images.tools });
  const isShown = await runSteps(steps, { progress, signal, say }).catch((error: unknown) => {
    say(`\nNOT SHOWN: ${textOf(error)}`);
    return false;
  });
  if (isKept && !signal.aborted) await keep(lab, signal);
  return isShown;
}

async function keep({ handle }: Lab, signal: AbortSignal): Promise<void> {
  const shell = "node_modules/.bin/bun test/lab/shell.ts";
  say(`\nThe lab keeps running until Ctrl-C. In another terminal, in this folder:
  ${shell} kubectl ${handle.dir} -- get pods -A
  ${shell} exec ${handle.dir} -- ip link        a bash script on the node, as root
  ${shell} reset ${handle.dir}                  the node's reset button`);
  await once(signal, "abort");
}

function exitCodeOf(signal: AbortSignal): number {
  return signal.aborted ? 130 : 1;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof LabRequirementsError || error.cause === undefined) return error.message;
  return `${error.message}: ${textOf(error.cause)}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
