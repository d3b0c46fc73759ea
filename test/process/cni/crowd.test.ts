// The original article's way, without a device plugin, and a crowd at once: 64 processes ask for the 7 stand-in VFs of one PF.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { compileExecutables } from "../../support/executables.ts";
import { createTestNetns } from "../../support/netns.ts";
import { createStandInNode } from "../../support/stand-in-node.ts";

const crowd = 64;
const vfs = 7;

test("7 of 64 get a VF each, 57 are told what holds them; after their DELs the node is as before", async () => {
  await using executables = await compileExecutables({ cni: "test/support/stand-in-cni-main.ts" });
  using node = createStandInNode(vfs);
  using stack = new DisposableStack();
  const pods = Array.from({ length: crowd }, () => stack.use(createTestNetns()));
  mkdirSync(join(node.root, "etc/virtfn"), { recursive: true });
  writeFileSync(join(node.root, "etc/virtfn/node.yaml"), "pfs:\n  - name: pf0\n");
  const before = node.toText();
  const config = JSON.stringify({ cniVersion: "1.0.0", name: "lan", type: "virtfn", pf: "pf0" });
  const callAll = async (verb: string): Promise<readonly Answer[]> =>
    Promise.all(
      pods.map(async ({ path }, at) => {
        const environment = {
          PATH: process.env["PATH"] ?? "",
          CNI_COMMAND: verb,
          CNI_CONTAINERID: `pod${at}`,
          CNI_NETNS: path,
          CNI_IFNAME: "net1",
          CNI_PATH: "/usr/lib/cni",
        };
        const command = ["ip", "netns", "exec", node.host.name, executables.path("cni"), node.root];
        const child = Bun.spawn(command, { env: environment, stdin: new Blob([config]), stderr: "ignore" });
        const stdout = await child.stdout.text();
        return { exitCode: await child.exited, stdout };
      }),
    );

  const added = await callAll("ADD");
  const given = added.filter(({ exitCode }) => exitCode === 0).map(({ stdout }) => pciOf(stdout));
  expect([given.length, new Set(given).size]).toEqual([vfs, vfs]);
  const refused = added.filter(({ exitCode }) => exitCode !== 0);
  for (const { stdout } of refused)
    expect.soft(stdout).toMatch(/"code":11,.*(?:attached to container pod\d+|process \d+)/);
  const deleted = await callAll("DEL");
  expect(new Set(deleted.map(({ exitCode }) => exitCode))).toEqual(new Set([0]));
  expect(node.toText()).toBe(before);
}, 240_000);

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
}

function pciOf(stdout: string): string {
  const { interfaces } = JSON.parse(stdout) as { readonly interfaces: readonly { readonly mac: string }[] };
  return interfaces[0]?.mac ?? "";
}
