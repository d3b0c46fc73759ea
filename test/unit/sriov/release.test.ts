// Giving a VF back: on a node that cannot write, and beside IPAM plugins that work through its interface.

import * as fs from "node:fs";
import { expect, it } from "vitest";

import { ExecError, SystemCallError } from "../../../host/errors.ts";
import type { ExecResult } from "../../../host/exec.ts";
import type { Host } from "../../../host/host.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: "0000:3b:02.1",
  vlan: 100,
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};

function refuse(path: string): never {
  throw new SystemCallError("write", path, "ENOSPC");
}

it("needs no room on the disk", async () => {
  using node = createFakeHost();
  node.addNetns("web-1");
  const before = node.toText();
  expect(await callCni(node.host, config, {})).toMatchObject({ exitCode: 0 });
  const full: Host = { ...node.host, files: { ...node.host.files, writeAtomic: refuse } };
  expect(await callCni(full, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

function damage(path: string): void {
  fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace('"format":"1.', '"format":"9.'));
}

const overDhcp = { ...config, ipam: { type: "dhcp" } };

/** A node with a plugin dhcp, whose DEL ends as `release` does. */
function withDhcp(node: FakeHost, release: () => Promise<void>): Host {
  node.addNetns("web-1");
  node.host.files.writeAtomic(`${node.root}/opt/cni/bin/dhcp`, "");
  const run = async (verb: string | undefined): Promise<ExecResult> => {
    if (verb === "DEL") await release();
    const stdout = verb === "ADD" ? JSON.stringify({ ips: [{ address: "192.0.2.9/24" }] }) : "";
    return { exitCode: 0, stdout, stderr: "" };
  };
  return { ...node.host, exec: { run: ({ env }) => run(env["CNI_COMMAND"]) } };
}

/** "net1 up" as long as the pod has it. */
function lookInside({ host }: FakeHost): string {
  using netns = host.namespaces.open("/run/netns/web-1");
  using inside = host.openNetlink(netns);
  const link = inside.getLink({ name: "net1" });
  return link === undefined ? "gone" : `net1 ${link.isUp ? "up" : "down"}`;
}

it.each([
  ["DEL", (_path: string) => undefined],
  // What its format tells of itself is all that this release does not know of it.
  ["DEL with a record of another format", damage],
])("has dhcp tell its server while the pod has the interface: %s", async (_, prepare) => {
  using node = createFakeHost();
  const seen: string[] = [];
  const host = withDhcp(node, async () => {
    await new Promise(setImmediate);
    seen.push(lookInside(node));
  });
  expect(await callCni(host, overDhcp)).toMatchObject({ exitCode: 0 });
  prepare(`${host.paths.attachments}/0000:3b:02.1.json`);
  expect(await callCni(host, overDhcp, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect([new Set(seen), lookInside(node)]).toEqual([new Set(["net1 up"]), "gone"]);
});

it.each([
  ["for long", "/run/netns/web-1", 10_000],
  // The end of the lease may be what frees it.
  ["at all where the namespace is gone", "", 3_000],
])("does not wait %s for such a plugin that hangs, nor forgets the record", async (_, netns, afterMs) => {
  using node = createFakeHost();
  const host = withDhcp(node, async () => {
    await node.clock.sleep(60_000);
    throw new ExecError("dhcp", "did not end within 60000 ms");
  });
  expect(await callCni(host, overDhcp)).toMatchObject({ exitCode: 0 });
  if (netns === "") node.removeNetns("web-1", 1_000);
  let seen = "";
  node.clock.after(afterMs, () => {
    seen = node.toText();
  });
  const { json } = await callCni(host, overDhcp, { command: "DEL", netns });
  expect(json).toMatchObject({ msg: expect.stringMatching(/^ERR_RELEASE: .*dhcp: did not end/) as string });
  expect(seen).toMatch(/\n {2}ens1f0v1 0000:3b:02\.1 /);
  expect(seen).toMatch(/ vf 1 mac \S+ vlan 0 /);
  expect(node.toText()).toContain("attachments 0000:3b:02.1.json");
});
