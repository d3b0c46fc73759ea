// A change of the node as data: a command and the one that takes it back. Done in order, undone backwards, whatever happened.

import { setTimeout } from "node:timers/promises";

const againMs = 1_000;
const mostAgain = 10;

/** A program with its arguments; `stdin` is empty and the environment this process's unless given. */
export interface Command {
  readonly argv: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Without `apply` there is something to do only on the way back. */
export interface Step {
  readonly apply?: Command;
  /** Whether what `apply` printed tells that it is done; else it is run again each second, up to ten times. */
  readonly isDone?: (printed: string) => boolean;
  /** Throws where what `apply` printed tells that it did not do what it was for. */
  readonly check?: (printed: string) => void;
  readonly undo?: Command;
}

/** Runs a command and gives what it printed; throws with its stderr when it fails. */
export type Run = (command: Command) => Promise<string>;

/** `sh -x` like text of a command, for messages. */
export function formatCommand({ argv, stdin }: Command): string {
  return stdin === undefined ? argv.join(" ") : `${argv.join(" ")} <<< '${stdin.trim()}'`;
}

/** What was not taken back: each failed undo with its reason, below what failed before. */
export class TakeDownError extends AggregateError {
  constructor(errors: readonly unknown[], before?: unknown) {
    const lines = ["not taken back:", ...errors.map((error) => `- ${String(error)}`)];
    super(errors, [...(before === undefined ? [] : [messageOf(before)]), ...lines].join("\n"), {
      cause: before,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Does the steps, then `use`, then takes all of them back that were done, in reverse, each even when others fail.
 * Throws what failed; TakeDownError when the way back failed, too or alone.
 */
export async function withSteps<T>(run: Run, steps: readonly Step[], use: () => Promise<T>): Promise<T> {
  const done: Step[] = [];
  try {
    for (const step of steps) {
      const printed = await applyStep(run, step);
      done.push(step);
      step.check?.(printed);
    }
    const value = await use();
    await takeBack(run, done.splice(0), undefined);
    return value;
  } catch (error) {
    await takeBack(run, done, error);
    throw error;
  }
}

async function applyStep(run: Run, { apply, isDone }: Step): Promise<string> {
  if (apply === undefined) return "";
  let printed = await run(apply);
  for (let again = 0; again < mostAgain && isDone?.(printed) === false; again += 1) {
    await setTimeout(againMs);
    printed = await run(apply);
  }
  return printed;
}

async function takeBack(run: Run, done: readonly Step[], before: unknown): Promise<void> {
  const failed: unknown[] = [];
  for (const { undo } of done.toReversed()) {
    if (undo === undefined) continue;
    try {
      await run(undo);
    } catch (error) {
      failed.push(error);
    }
  }
  if (failed.length > 0) throw new TakeDownError(failed, before);
}
