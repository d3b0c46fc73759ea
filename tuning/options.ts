// The command line of `virtfn tuning`.

import { parseArgs } from "node:util";

import { HostError } from "../host/errors.ts";
import { type ListenAddress, parseListenAddress } from "../host/health-server.ts";

export type TuningOptions =
  | { readonly command: "daemon"; readonly listen: ListenAddress | undefined }
  | { readonly command: "once"; readonly isDryRun: boolean; readonly isJson: boolean }
  | { readonly command: "restore"; readonly isJson: boolean }
  | { readonly command: "help" };

/** A command line that can't be understood. */
export class TuningUsageError extends HostError {
  readonly code = "ERR_USAGE";

  constructor(problem: string, options?: ErrorOptions) {
    super(`virtfn tuning: ${problem}; see virtfn tuning --help`, options);
  }
}

export const tuningHelp = `virtfn tuning: keeps the interrupts of VFs in pods on CPUs near them, and sets their RPS masks.

  virtfn tuning [--listen ADDRESS:PORT|off]   run as daemon; default address 127.0.0.1:9818 (/healthz /readyz /metrics)
  virtfn tuning --once [--json]               one pass, then tell what was done
  virtfn tuning --once --dry-run [--json]     tell what a pass would do; change nothing
  virtfn tuning --restore [--json]            put everything back, also in running pods; stop the daemon first
`;

const options = {
  once: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  restore: { type: "boolean", default: false },
  listen: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Parses `argv` (without the command's name). Throws ERR_USAGE or ERR_LISTEN_ADDRESS. */
export function parseTuningOptions(argv: readonly string[]): TuningOptions {
  const { values } = parse(argv);
  if (values.help) return { command: "help" };
  if (values.once && values.restore) throw new TuningUsageError("--once and --restore exclude each other");
  if (values["dry-run"] && !values.once) throw new TuningUsageError("--dry-run needs --once");
  const runsOnce = values.once || values.restore;
  if (values.json && !runsOnce) throw new TuningUsageError("--json needs --once or --restore");
  if (values.listen !== undefined && runsOnce) throw new TuningUsageError("--listen is for the daemon only");
  if (values.restore) return { command: "restore", isJson: values.json };
  if (values.once) return { command: "once", isDryRun: values["dry-run"], isJson: values.json };
  return { command: "daemon", listen: parseListenAddress(values.listen ?? "127.0.0.1:9818") };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true });
  } catch (cause) {
    throw new TuningUsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
