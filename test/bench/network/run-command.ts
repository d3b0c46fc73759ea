// Commands of steps, run on this machine.

import { execa } from "execa";

import { type Command, formatCommand } from "./step.ts";

const timeoutMs = 120_000;

/** Gives what the command printed. Throws with its stderr, or stdout where that is empty, when it fails. */
export async function runCommand(command: Command): Promise<string> {
  const [file = "", ...args] = command.argv;
  const result = await execa(file, args, {
    input: command.stdin ?? "",
    ...(command.env === undefined ? {} : { env: command.env }),
    timeout: timeoutMs,
    reject: false,
    // Of a process group of its own: Ctrl-C of a terminal does not reach the way back.
    detached: true,
  });
  if (!result.failed) return result.stdout;
  const why = result.stderr?.trim() || result.stdout?.trim() || result.shortMessage;
  throw new Error(`${formatCommand(command)}: ${why}`);
}
