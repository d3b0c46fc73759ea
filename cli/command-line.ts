// The command line of `virtfn`: which command, what to print when there is none, which exit code an error becomes.

import { escapeControls } from "./table.ts";

interface Command {
  /** One line for `virtfn --help`. */
  readonly summary: string;
  /** Takes the words after the command's name, gives the exit code; loads its program when called. */
  readonly run: (args: readonly string[]) => Promise<number>;
}

export type Commands = Readonly<Record<string, Command>>;

export interface Output {
  readonly log: (text: string) => void;
  readonly error: (text: string) => void;
}

const exitFailure = 1;
const exitUsage = 2;
const usageErrors: ReadonlySet<unknown> = new Set(["ERR_USAGE", "ERR_LISTEN_ADDRESS"]);

/** Runs the command that `words` names and gives its exit code: 2 for a command line that is not understood, 1 for other errors. */
export async function runCommandLine(
  commands: Commands,
  version: string,
  words: readonly string[],
  output: Output,
): Promise<number> {
  const [name = "", ...args] = words;
  if (name === "--help" || name === "help" || name === "-h") return print(output, formatUsage(commands));
  if (name === "--version" || name === "version") return print(output, version);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    const problem = name === "" ? "no command given" : `unknown command ${JSON.stringify(name)}`;
    output.error(
      `virtfn: ${problem}; expected one of: ${Object.keys(commands).join(", ")} (see \`virtfn --help\`)`,
    );
    return exitUsage;
  }
  try {
    return await command.run(args);
  } catch (error) {
    output.error(escapeControls(formatError(error)));
    return isUsageError(error) ? exitUsage : exitFailure;
  }
}

function print(output: Output, text: string): number {
  output.log(text);
  return 0;
}

function formatUsage(commands: Commands): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "virtfn: SR-IOV virtual functions for Kubernetes pods",
    "",
    "Usage: virtfn COMMAND [FLAGS]",
    "",
    ...lines,
    "",
    "`virtfn COMMAND --help` tells the flags of a command, `virtfn --version` the version.",
  ].join("\n");
}

/** A coded error is a sentence for the person at the keyboard; anything else is a bug and shows where it came from. */
function formatError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && String(error.code).startsWith("ERR_")
    ? `${String(error.code)}: ${error.message}`
    : (error.stack ?? error.message);
}

function isUsageError(error: unknown): boolean {
  return error instanceof Error && "code" in error && usageErrors.has(error.code);
}
