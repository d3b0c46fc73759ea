// The command line of install-cni.

import { expect, test } from "vitest";
import { parseInstallCniOptions, usage } from "../../../../cli/install-cni/options.ts";

test("without options it installs once, where runtimes look by default", () => {
  expect(parseInstallCniOptions([], "/usr/bin/virtfn-cni")).toEqual({
    source: "/usr/bin/virtfn-cni",
    help: false,
    watch: false,
    binDir: "/opt/cni/bin",
    confDir: "/etc/cni/net.d",
    entryFile: undefined,
    udevRules: undefined,
    kubeletRoot: undefined,
    hostRoot: "/",
    aliases: [],
    listen: undefined,
  });
});

test("every option has its place", () => {
  const argv = [
    "--watch",
    "--cni-bin-dir=/b",
    "--cni-conf-dir",
    "/c",
    "--host-root=/h",
    "--entry=/e.yaml",
    "--udev-rule",
    "--kubelet-root=/k",
    "--name=sriov",
    "--name=virtfn",
    "--listen=[10.0.0.5]:9819",
  ];
  expect(parseInstallCniOptions(argv, "/s")).toEqual({
    source: "/s",
    help: false,
    watch: true,
    binDir: "/b",
    confDir: "/c",
    entryFile: "/e.yaml",
    udevRules: "/etc/udev/rules.d",
    kubeletRoot: "/k",
    hostRoot: "/h",
    aliases: ["sriov"],
    listen: { hostname: "10.0.0.5", port: 9819 },
  });
});

test("every option that the usage names is one", () => {
  const named = [...usage.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name]) => `--${name}`);
  expect(named.length).toBeGreaterThan(5);
  for (const option of named) {
    const value = option === "--listen" ? "off" : "/value".slice(option === "--name" ? 1 : 0);
    const takesValue = !["--watch", "--no-conflist", "--udev-rule"].includes(option);
    expect(() => parseInstallCniOptions(takesValue ? [option, value] : [option], "/s")).not.toThrow();
  }
});

test("without a conflist there is no folder to look for one", () => {
  expect(parseInstallCniOptions(["--no-conflist"], "/s").confDir).toBeUndefined();
});

test.each([
  [["--wach"], "--wach"],
  [["now"], "now"],
  [["--cni-bin-dir=opt"], '--cni-bin-dir: expected an absolute path, got "opt"'],
  [["--cni-conf-dir"], "--cni-conf-dir"],
  [["--name=../x"], '--name: expected a file name, got "../x"'],
  [["--listen=here"], "expected ADDRESS:PORT"],
])("%j is refused with %s", (argv, message) => {
  expect(() => parseInstallCniOptions(argv, "/s")).toThrow(message);
});
