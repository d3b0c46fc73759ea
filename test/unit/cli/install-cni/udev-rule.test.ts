// The udev rule: written once, never over another's file, never where the node itself lives on a VF.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { installUdevRule, isOwnUdevRule, udevRuleName } from "../../../../cli/install-cni/udev-rule.ts";
import { createFakeHost, type FakeHost } from "../../../support/fake-host.ts";

function folderOf(node: FakeHost): string {
  return join(node.root, "etc/udev/rules.d");
}

function textOf(node: FakeHost): string | undefined {
  return node.host.files.readText(join(folderOf(node), udevRuleName));
}

test("it is written for every reader, found as it is at the next look, and put back when somebody changed it", () => {
  using node = createFakeHost();
  const look = (): unknown => installUdevRule(node.host, folderOf(node));
  const path = join(folderOf(node), udevRuleName);
  expect(look()).toEqual({ kind: "installed", path, written: true });
  expect(look()).toEqual({ kind: "installed", path, written: false });
  expect(fs.statSync(path).mode & 0o777).toBe(0o644);
  const text = textOf(node) ?? "";
  expect(isOwnUdevRule(text)).toBe(true);
  expect(text.split("\n")[1]).toMatchInlineSnapshot(
    `"SUBSYSTEM=="net", ACTION!="remove", TEST=="device/physfn", ENV{NM_UNMANAGED}="1", ENV{ID_NET_MANAGED_BY}="virtfn""`,
  );
  fs.appendFileSync(path, "# more\n");
  expect(look()).toEqual({ kind: "installed", path, written: true });
  expect(textOf(node)).toBe(text);
});

test("the link that it tests is there for VFs and for nothing else", () => {
  using node = createFakeHost();
  const isVf = (name: string): boolean =>
    fs.existsSync(join(node.host.paths.sys, "class/net", name, "device/physfn"));
  expect([isVf("ens1f0v0"), isVf("ens1f0"), isVf("eth0")]).toEqual([true, false, false]);
});

test("another's file of that name is left alone", () => {
  using node = createFakeHost();
  node.host.files.writeAtomic(join(folderOf(node), udevRuleName), "# mine\n");
  expect(installUdevRule(node.host, folderOf(node))).toMatchObject({
    kind: "refused",
    error: { code: "ERR_UDEV_RULE", message: expect.stringContaining("this is another's") as string },
  });
  expect(textOf(node)).toBe("# mine\n");
});

test("a node that lives on a VF gets none, and is told which; one that has it keeps it", () => {
  using node = createFakeHost();
  const vf = [...node.kernel.host.links.values()].find(({ name }) => name === "ens1f0v2");
  const [route] = node.kernel.host.routes;
  if (vf === undefined || route === undefined) throw new Error("no VF, or no route");
  node.kernel.host.routes[0] = { ...route, index: vf.index };
  expect(installUdevRule(node.host, folderOf(node))).toMatchObject({
    kind: "refused",
    error: { message: expect.stringMatching(/lives on 0000:3b:02\.2 \(default route/) as string },
  });
  expect(textOf(node)).toBeUndefined();
  node.kernel.host.routes[0] = route;
  installUdevRule(node.host, folderOf(node));
  node.kernel.host.routes[0] = { ...route, index: vf.index };
  expect(installUdevRule(node.host, folderOf(node))).toMatchObject({ kind: "installed", written: false });
});

test("a folder that cannot be written is a refusal, not an end", () => {
  using node = createFakeHost();
  node.host.files.writeAtomic(join(node.root, "etc/udev"), "a file");
  expect(installUdevRule(node.host, folderOf(node))).toMatchObject({
    kind: "refused",
    error: { code: "ERR_SYSTEM_CALL" },
  });
});
