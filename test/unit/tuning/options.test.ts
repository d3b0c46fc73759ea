// The command line of `virtfn tuning`.

import { expect, test } from "vitest";

import { parseTuningOptions } from "../../../tuning/options.ts";

test.each([
  [[], { command: "daemon", listen: { hostname: "0.0.0.0", port: 9811 }, logLevel: "info" }],
  [["--listen", "off", "--log-level=debug"], { command: "daemon", listen: undefined, logLevel: "debug" }],
  [["--listen=[::1]:9"], { command: "daemon", listen: { hostname: "::1", port: 9 }, logLevel: "info" }],
  [["--once"], { command: "once", isDryRun: false, isJson: false }],
  [["--once", "--dry-run", "--json"], { command: "once", isDryRun: true, isJson: true }],
  [["--restore", "--json"], { command: "restore", isJson: true }],
  [["--once", "--help"], { command: "help" }],
])("%j is understood", (argv, options) => {
  expect(parseTuningOptions(argv)).toEqual(options);
});

test.each([
  [["--onse"], "Unknown option '--onse'"],
  [["now"], "now"],
  [["--once", "--restore"], "--once and --restore exclude each other"],
  [["--dry-run"], "--dry-run needs --once"],
  [["--restore", "--dry-run"], "--dry-run needs --once"],
  [["--json"], "--json needs --once or --restore"],
  [["--once", "--listen=off"], "for the daemon only"],
  [["--listen=nowhere"], "--listen: expected ADDRESS:PORT"],
  [["--log-level=loud"], '--log-level: expected one of trace, debug, info, warn, error, got "loud"'],
])("%j is refused: %s", (argv, problem) => {
  expect(() => parseTuningOptions(argv)).toThrow(problem);
});
