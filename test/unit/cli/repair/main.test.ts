// `virtfn repair` as a person and as a program read it, and its exit codes.

import { expect, test } from "vitest";

import { runRepair } from "../../../../cli/repair/main.ts";
import type { Host } from "../../../../host/host.ts";
import { callCni, podArgs } from "../../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../../support/fake-host.ts";

async function run(host: Host, ...args: readonly string[]): Promise<{ exitCode: number; text: string }> {
  let text = "";
  const exitCode = await runRepair(host, args, (part) => (text += part));
  return { exitCode, text };
}

async function add(node: FakeHost, pod: number): Promise<void> {
  const netns = node.addNetns(`web-${pod}`);
  const call = { containerId: `c${pod}`, netns, args: podArgs(`web-${pod}`) };
  const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: `0000:3b:02.${pod}`, ipam };
  expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
}

test("a dry run tells what would be done, a run what was done", async () => {
  using node = createFakeHost();
  const empty = await run(node.host);
  expect(empty).toEqual({ exitCode: 0, text: "no VF is in use\n" });
  for (const pod of [1, 2]) await add(node, pod);
  node.removeNetns("web-2");
  const before = node.toText();
  const dry = await run(node.host, "--dry-run");
  expect(`\n${dry.text}`).toMatchInlineSnapshot(`
    "
    VF            HOLDER                                RESULT             REASON
    0000:3b:02.1  pod shop/web-1, container c1 as net1  keep               its namespace /run/netns/web-1 exists
    0000:3b:02.2  pod shop/web-2, container c2 as net1  would be released  its namespace /run/netns/web-2 is missing and the VF is on the host as net1
    "
  `);
  expect(node.toText()).toBe(before);
  const real = await run(node.host);
  expect([dry.exitCode, real.exitCode]).toEqual([0, 0]);
  expect(`\n${real.text}`).toMatchInlineSnapshot(`
    "
    VF            HOLDER                                RESULT    REASON
    0000:3b:02.1  pod shop/web-1, container c1 as net1  kept      its namespace /run/netns/web-1 exists
    0000:3b:02.2  pod shop/web-2, container c2 as net1  released  its namespace /run/netns/web-2 is missing and the VF is on the host as net1
    "
  `);
  expect(node.toText()).not.toContain("c2 net1");
});

test("what could not be done is told with its code, and is exit code 1", async () => {
  using node = createFakeHost();
  await add(node, 1);
  node.removeNetns("web-1");
  const exec: Host["exec"] = { run: async () => ({ exitCode: 1, stdout: "", stderr: "no disk" }) };
  const { exitCode, text } = await run({ ...node.host, exec });
  expect(exitCode).toBe(1);
  expect(text).toMatch(/failed +ERR_RELEASE: .*no disk/);
  const json = await run({ ...node.host, exec }, "--json");
  expect(JSON.parse(json.text)).toMatchObject({
    isDryRun: false,
    vfs: [{ address: "0000:3b:02.1", action: "release", problem: { code: "ERR_RELEASE" } }],
  });
});

test("--help tells the flags; others are refused", async () => {
  using node = createFakeHost();
  expect((await run(node.host, "--help")).text).toContain("--dry-run");
  for (const args of [["--dry"], ["now"]])
    await expect(run(node.host, ...args)).rejects.toMatchObject({ code: "ERR_USAGE" });
});
