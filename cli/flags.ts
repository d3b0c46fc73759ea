// The flags of the commands of `virtfn`: what node:util does not understand of them is a UsageError.

import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "./usage-error.ts";

type FlagTypes = NonNullable<ParseArgsConfig["options"]>;

/** The flags of `argv` (without the command's name). Throws ERR_USAGE. */
export function parseFlags<const T extends FlagTypes>(command: string, argv: readonly string[], options: T) {
  return asUsage(command, () => parseArgs({ args: [...argv], options, strict: true })).values;
}

/** As `parseFlags`, where words that are no flags may stand, too. */
export function parseFlagsAndWords<const T extends FlagTypes>(
  command: string,
  argv: readonly string[],
  options: T,
) {
  return asUsage(command, () =>
    parseArgs({ args: [...argv], options, strict: true, allowPositionals: true }),
  );
}

/** The value of a flag that is a path. Throws ERR_USAGE for one that is not absolute. */
export function expectAbsolute(command: string, flag: string, path: string): string {
  if (path.startsWith("/")) return path;
  throw new UsageError(command, `--${flag}: expected an absolute path, got ${JSON.stringify(path)}`);
}

function asUsage<T>(command: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new UsageError(command, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
