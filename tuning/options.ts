// The command line of `virtfn tuning`.

import { parseArgs } from "node:util";

import { HostError } from "../host/errors.ts";
import { type ListenAddress, parseListenAddress } from "../host/health-server.ts";
import { type LogLevel, logLevels } from "../host/log.ts";

export type TuningOptions =
  | { readonly command: "daemon"; readonly listen: ListenAddress | undefined; readonly logLevel: LogLevel }
  | { readonly command: "once"; readonly isDryRun: boolean; readonly isJson: boolean }
  | { readonly command: "restore"; readonly isJson: boolean }
  | { readonly command: "help" };

/** A command line that can't be understood. */
class TuningUsageError extends HostError {
  readonly code = "ERR_USAGE";

  constructor(problem: string, options?: ErrorOptions) {
    super(`virtfn tuning: ${problem}; see \`virtfn tuning --help\``, options);
  }
}

/** What `--help` prints. */
export const usage = `virtfn tuning: keeps the interrupts of VFs in pods on CPUs near them, and sets their RPS and XPS masks

Usage: virtfn tuning [--listen ADDRESS:PORT | off] [--log-level LEVEL]
       virtfn tuning --once [--dry-run] [--json]
       virtfn tuning --restore [--json]

Without --once or --restore it stays and follows the pods of this node. Ending it leaves
the interrupts where they are; the next start takes them over. Needs root on the node.

  --once                  one pass, then tell what was found and done
  --dry-run               with --once: tell what a pass would do, change nothing
  --restore               put back what was before, in running pods too; stop the daemon first
  --json                  output for programs
  --listen ADDRESS:PORT   where /healthz, /readyz and /metrics are served
                          (default :9811, every IPv4 address; "off": nowhere)
  --log-level LEVEL       ${logLevels.join(", ")} (default info)
  --help                  this text
`;

const options = {
  once: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  restore: { type: "boolean", default: false },
  listen: { type: "string" },
  "log-level": { type: "string" },
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
  if (runsOnce && (values.listen !== undefined || values["log-level"] !== undefined))
    throw new TuningUsageError("--listen and --log-level are for the daemon only");
  if (values.restore) return { command: "restore", isJson: values.json };
  if (values.once) return { command: "once", isDryRun: values["dry-run"], isJson: values.json };
  return {
    command: "daemon",
    listen: parseListenAddress(values.listen ?? ":9811"),
    logLevel: parseLogLevel(values["log-level"] ?? "info"),
  };
}

function parseLogLevel(text: string): LogLevel {
  const level = logLevels.find((known) => known === text);
  if (level !== undefined) return level;
  throw new TuningUsageError(`--log-level: expected one of ${logLevels.join(", ")}, got "${text}"`);
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true });
  } catch (cause) {
    throw new TuningUsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
