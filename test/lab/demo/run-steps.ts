// Runs the demo's steps in order, shows what each gives, and sums up what was shown and how long it took.
import { once } from "node:events";
import type { Progress } from "../artifacts.ts";
import type { DemoStep } from "./demo-lab.ts";

export interface RunStepsOptions {
  readonly progress: Progress;
  /** Ends the run between and within steps. */
  readonly signal: AbortSignal;
  say(text: string): void;
}

/** True when all were shown. Throws what the first failing step threw, below its title; the summary says which steps were shown by then. */
export async function runSteps(steps: readonly DemoStep[], options: RunStepsOptions): Promise<true> {
  const { progress, signal } = options;
  const interrupted = once(signal, "abort").then(() => signal.throwIfAborted());
  interrupted.catch(() => {});
  const shown: string[] = [];
  try {
    for (const demoStep of steps) {
      const { title } = demoStep;
      const started = performance.now();
      const step = progress.step(title);
      const text = await Promise.race([demoStep.run(), interrupted]).catch((cause: unknown) => {
        step.done("failed");
        throw new Error(title, { cause });
      });
      step.done();
      if (text) options.say(text.replaceAll(/^/gm, "            "));
      shown.push(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${title}`);
    }
    return true;
  } finally {
    options.say(`\nShown, ${shown.length} of ${steps.length}:\n${shown.join("\n")}`);
  }
}
