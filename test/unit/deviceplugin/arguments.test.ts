// The flags of `virtfn deviceplugin`.
import { expect, test } from "vitest";

import { parseDevicePluginArguments } from "../../../deviceplugin/arguments.ts";

test("without flags it listens on 9810 and logs at info", () => {
  expect(parseDevicePluginArguments([])).toEqual({
    help: false,
    listen: { hostname: "0.0.0.0", port: 9810 },
    logLevel: "info",
    configFile: undefined,
    resourcePrefix: "sriov",
    useCdi: false,
  });
});

test("flags of sriov-network-device-plugin are taken, with one dash too", () => {
  const args = ["-config-file", "/etc/pcidp/config.json", "--resource-prefix=intel.com"];
  expect(parseDevicePluginArguments(args)).toMatchObject({
    configFile: "/etc/pcidp/config.json",
    resourcePrefix: "intel.com",
  });
});

test.each([
  ["-use-cdi", true],
  ["--use-cdi", true],
  ["-use-cdi=true", true],
  ["--use-cdi=false", false],
])("%s", (flag, useCdi) => {
  expect(parseDevicePluginArguments([flag]).useCdi).toBe(useCdi);
});

test("the metrics can be switched off", () => {
  expect(parseDevicePluginArguments(["--listen", "off"]).listen).toBeUndefined();
});

test.each([
  [["--listne", ":1"], "Unknown option '--listne'"],
  [
    ["--resource-prefix", "kubernetes.io"],
    '--resource-prefix: expected a domain like example.com, not kubernetes.io, got "kubernetes.io"',
  ],
  [["extra"], "Unexpected argument 'extra'"],
  [["--log-level", "loud"], '--log-level: expected one of trace, debug, info, warn, error, got "loud"'],
  [["--listen", "9810"], '--listen: expected ADDRESS:PORT, :PORT or off, got "9810"'],
])("%j is refused with what is expected", (args, message) => {
  expect(() => parseDevicePluginArguments(args)).toThrow(message);
});
