// The flags of `virtfn deviceplugin`.
import { expect, test } from "vitest";

import { parseDevicePluginArguments } from "../../../deviceplugin/arguments.ts";

test("without flags it listens on 9810 and logs at info", () => {
  expect(parseDevicePluginArguments([])).toEqual({
    help: false,
    listen: { hostname: "0.0.0.0", port: 9810 },
    logLevel: "info",
  });
});

test("the metrics can be switched off", () => {
  expect(parseDevicePluginArguments(["--listen", "off"]).listen).toBeUndefined();
});

test.each([
  [["--listne", ":1"], "Unknown option '--listne'"],
  [["extra"], "Unexpected argument 'extra'"],
  [["--log-level", "loud"], '--log-level: expected one of trace, debug, info, warn, error, got "loud"'],
  [["--listen", "9810"], '--listen: expected ADDRESS:PORT, :PORT or off, got "9810"'],
])("%j is refused with what is expected", (args, message) => {
  expect(() => parseDevicePluginArguments(args)).toThrow(message);
});
