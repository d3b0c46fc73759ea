// The command line of `virtfn`: what is printed where, and the exit codes.
import { expect, test } from "vitest";

import { type Commands, runCommandLine } from "../../../cli/command-line.ts";
import { DevicePluginUsageError } from "../../../deviceplugin/errors.ts";
import { ListenAddressError } from "../../../host/health-server.ts";

const commands: Commands = {
  good: { summary: "does well", run: async (args) => args.length },
  misused: {
    summary: "is called wrongly",
    run: async () => Promise.reject(new DevicePluginUsageError("what?")),
  },
  listener: {
    summary: "is told a wrong address",
    run: async () => Promise.reject(new ListenAddressError("x")),
  },
  broken: { summary: "fails", run: async () => Promise.reject(new TypeError("oops")) },
};

test.each([
  [["good", "--a", "b"], 2, ""],
  [["--version"], 0, "log 1.2.3"],
  [["--help"], 0, "log virtfn: SR-IOV virtual functions"],
  [[], 2, "error virtfn: no command given; expected one of: good, misused"],
  [["goood"], 2, 'error virtfn: unknown command "goood"; expected one of: good, misused'],
  [["toString"], 2, 'error virtfn: unknown command "toString"'],
  [["misused"], 2, "error ERR_USAGE: virtfn deviceplugin: what?"],
  [["listener"], 2, "error ERR_LISTEN_ADDRESS: --listen"],
  [["broken"], 1, "error TypeError: oops"],
])("%j ends with %d", async (words, code, expected) => {
  const printed: string[] = [];
  const output = {
    log: (text: string) => void printed.push(`log ${text}`),
    error: (text: string) => void printed.push(`error ${text}`),
  };
  expect(await runCommandLine(commands, "1.2.3", words, output)).toBe(code);
  expect(printed.join("\n").slice(0, expected.length)).toBe(expected);
  expect(printed.length).toBe(expected === "" ? 0 : 1);
});
