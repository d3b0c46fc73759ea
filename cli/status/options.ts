// The command line of `virtfn status`.

import { parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";

export interface StatusOptions {
  readonly help: boolean;
  readonly output: "table" | "wide" | "json";
  readonly watch: boolean;
}

export const usage = `Usage: virtfn status [-o wide|json] [--json] [--watch]

Shows the node's PFs and VFs: which resource, how healthy and why not, whose pod, which interface, MAC, VLAN, NUMA node,
and the CPUs of their interrupts; wide and json also how often these come (in one second that it waits), their policy, and
why it leaves CPUs out. Reads files and the kernel; needs no daemon and no API server, changes nothing.

  -o, --output FORMAT  wide: more columns, lines of any length; json
  --json               the same as -o json
  -w, --watch          stay, and show it again when it changed (as JSON: one line each)
`;

const options = {
  help: { type: "boolean", short: "h", default: false },
  json: { type: "boolean", default: false },
  output: { type: "string", short: "o", default: "table" },
  watch: { type: "boolean", short: "w", default: false },
} as const;

/** Parses `argv` (without the command's name). Throws ERR_USAGE. */
export function parseStatusOptions(argv: readonly string[]): StatusOptions {
  const { help, json, output, watch } = parseFlags("status", argv, options);
  if (output !== "table" && output !== "wide" && output !== "json") {
    throw new UsageError("status", `-o: expected wide or json, got ${JSON.stringify(output)}`);
  }
  return { help, watch, output: json ? "json" : output };
}
