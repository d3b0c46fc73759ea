// `npm run demo [-- --keep]`: the main job on an emulated SR-IOV node with a real Kubernetes, from nothing; ends with a summary.
import { once } from "node:events";
import { parseArgs } from "node:util";
import { onInterrupt } from "../interrupt.ts";
import { type Lab, startLab } from "../lab.ts";
import { prepareLab } from "../prepare/prepare.ts";
import { LabRequirementsError } from "../prepare/requirements.ts";
import { createProgress } from "../progress.ts";
import type { DemoStep } from "./demo-lab.ts";
import { createDemoSteps, demoVfs } from "./steps.ts";

const progress = createProgress();
const started = performance.now();

/** The exit code: 0 all shown, 1 something was not as it should be, 130 interrupted. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { keep: { type: "boolean", default: false } } });
  const signal = onInterrupt();
  let logsDir: string | undefined;
  try {
    const artifacts = await prepareLab({ progress, signal });
    await using lab = await startLab({ artifacts, progress, signal, numVfs: [demoVfs, 0] });
    logsDir = lab.logsDir;
    const failure = await showSteps(lab, artifacts.images.tools, signal).catch((error: unknown) => error);
    if (failure !== undefined) say(`NOT SHOWN: ${textOf(failure)}`);
    if (values.keep && !signal.aborted) await keep(lab, signal);
    return exitCode(failure, signal);
  } catch (error) {
    say(textOf(error));
    return exitCode(error, signal);
  } finally {
    say(`${seconds(started)} in all${logsDir === undefined ? "" : `; logs in ${logsDir}`}`);
  }
}

/** Runs the steps in order and shows what each gives; throws at the first that fails. */
async function showSteps(lab: Lab, toolsImage: string, signal: AbortSignal): Promise<undefined> {
  const interrupted = once(signal, "abort").then(() => signal.throwIfAborted());
  interrupted.catch(() => {});
  for (const step of createDemoSteps({ node: lab.node, kubectl: lab.kubectl, toolsImage })) {
    await Promise.race([show(step), interrupted]);
  }
}

async function show(demoStep: DemoStep): Promise<void> {
  const { title } = demoStep;
  const step = progress.step(title);
  try {
    const text = await demoStep.run();
    step.done();
    if (text !== "") say(text.replaceAll(/^/gm, "            "));
  } catch (error) {
    step.done("failed");
    throw new Error(title, { cause: error });
  }
}

async function keep({ handle }: Lab, signal: AbortSignal): Promise<void> {
  const shell = "node_modules/.bin/bun test/lab/shell.ts";
  say(`The lab keeps running until Ctrl-C. In another terminal, in this folder:
  ${shell} kubectl ${handle.dir} -- get pods -A
  ${shell} exec ${handle.dir} -- ip link        a bash script on the node, as root
  ${shell} reset ${handle.dir}                  the node's reset button`);
  if (!signal.aborted) await once(signal, "abort");
}

function exitCode(failure: unknown, signal: AbortSignal): number {
  if (failure === undefined) return 0;
  return signal.aborted ? 130 : 1;
}

function textOf(error: unknown): string {
  if (error instanceof LabRequirementsError || !(error instanceof Error))
    return error instanceof Error ? error.message : String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

if (import.meta.main) process.exit(await runDemo(process.argv.slice(2)));
