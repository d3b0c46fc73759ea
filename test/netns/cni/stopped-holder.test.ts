// An ADD that is stopped (SIGSTOP) while it has a VF's lock: others are told to try again, and nothing is lost when it goes on.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createTestNetns } from "../../support/netns.ts";
import { createStandInNode, type StandInNode } from "../../support/stand-in-node.ts";

/** An IPAM plugin that tells its caller's pid, and answers when the test does. Returns the two pipes. */
function addSlowIpam(node: StandInNode): Readonly<Record<"pid" | "answer", string>> {
  const [pid, answer] = [join(node.root, "pid"), join(node.root, "answer")];
  execFileSync("mkfifo", [pid, answer]);
  const script = `#!/bin/sh\n[ "$CNI_COMMAND" = ADD ] || exit 0\necho $PPID > ${pid}\ncat ${answer}\n`;
  fs.writeFileSync(join(node.root, "slow"), script, { mode: 0o755 });
  return { pid, answer };
}

test("a stopped ADD is named to others as CNI error 11, and both succeed once it goes on", async () => {
  using node = createStandInNode(1);
  using first = createTestNetns();
  using second = createTestNetns();
  const before = node.toText();
  const pipes = addSlowIpam(node);
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.0" };
  const slow = { ...config, ipam: { type: "slow" } };
  const ofFirst = { CNI_CONTAINERID: "c1", CNI_NETNS: first.path, CNI_PATH: node.root };
  const ofSecond = { CNI_CONTAINERID: "c2", CNI_NETNS: second.path, STAND_IN_LOCK_MS: "300" };

  const adding = node.call("ADD", slow, ofFirst);
  const pid = Number(await readFile(pipes.pid, "utf8"));
  process.kill(pid, "SIGSTOP");
  expect(await node.call("ADD", config, ofSecond)).toMatchObject({
    exitCode: 1,
    json: { code: 11, msg: expect.stringContaining(`process ${pid} still holds it`) as string },
  });
  process.kill(pid, "SIGCONT");
  const ips = [{ address: "192.0.2.9/24" }];
  await writeFile(pipes.answer, JSON.stringify({ cniVersion: "1.0.0", ips }));
  expect(await adding).toMatchObject({ exitCode: 0, json: { ips: [{ address: "192.0.2.9/24" }] } });

  expect(await node.call("DEL", slow, ofFirst)).toMatchObject({ exitCode: 0 });
  expect(await node.call("ADD", config, ofSecond)).toMatchObject({ exitCode: 0 });
  expect(await node.call("DEL", config, ofSecond)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
