// The state folder on a full disk, read-only, or with a record that cannot be read: one error that names the file, and the VF untouched.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createTestNetns, type TestNetns } from "../../support/netns.ts";
import { createStandInNode, type StandInNode } from "../../support/stand-in-node.ts";

const address = "0000:3b:02.0";
const config = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  deviceID: address,
  vlan: 9,
  ips: ["192.0.2.50/24"],
};

interface State extends Disposable {
  readonly folder: string;
  readonly remount: (option: "ro" | "rw") => void;
}

/** The folder of records as a file system of its own, as small as one can be. */
function mountState(node: StandInNode): State {
  const folder = join(node.root, "var/lib/virtfn/attachments");
  fs.mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "none", folder]);
  return {
    folder,
    remount: (option) => void execFileSync("mount", ["-o", `remount,${option}`, folder]),
    [Symbol.dispose]: () => void execFileSync("umount", [folder]),
  };
}

function fill(folder: string): void {
  try {
    fs.writeFileSync(join(folder, "fill"), "x".repeat(100_000));
  } catch {
    // Until it is full.
  }
}

function environmentOf(pod: TestNetns): Readonly<Record<string, string>> {
  return { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path };
}

test("ADD on a full disk names the file and changes nothing; DEL of a pod from before succeeds there", async () => {
  using node = createStandInNode(2);
  using pod = createTestNetns();
  using state = mountState(node);
  const before = node.toText();
  const env = environmentOf(pod);
  expect(await node.call("ADD", config, env)).toMatchObject({ exitCode: 0 });
  fill(state.folder);
  const other = { ...config, deviceID: "0000:3b:02.1", ips: [] };
  const filled = node.toText();
  const refused = await node.call("ADD", other, { ...env, CNI_CONTAINERID: "c2", CNI_IFNAME: "net2" });
  expect(refused.json?.["msg"]).toMatch(
    /^ERR_SYSTEM_CALL: .*write\(.*0000:3b:02\.1\.json.*\) failed: ENOSPC$/,
  );
  expect(node.toText()).toBe(filled);
  expect(await node.call("DEL", config, env)).toMatchObject({ exitCode: 0 });
  fs.rmSync(join(state.folder, "fill"));
  expect(node.toText()).toBe(before);
});

test("ADD with read-only records names the file and changes nothing; DEL brings the VF home and tries again later", async () => {
  using node = createStandInNode(2);
  using pod = createTestNetns();
  using state = mountState(node);
  const before = node.toText();
  const env = environmentOf(pod);
  state.remount("ro");
  const refused = await node.call("ADD", config, env);
  expect(refused.json?.["msg"]).toMatch(/^ERR_SYSTEM_CALL: .*0000:3b:02\.0\.json.*\) failed: EROFS$/);
  expect(node.toText()).toBe(before);
  state.remount("rw");
  expect(await node.call("ADD", config, env)).toMatchObject({ exitCode: 0 });
  state.remount("ro");
  const kept = await node.call("DEL", config, env);
  expect(kept.json?.["msg"]).toMatch(/0000:3b:02\.0\.json\) failed: EROFS/);
  expect(node.toText()).toBe(`${before}\n${address}.json`);
  state.remount("rw");
  expect(await node.call("DEL", config, env)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

test("a record of another format is named and protects its VF; one that is none is moved aside, with the reason", async () => {
  using node = createStandInNode(1);
  using pod = createTestNetns();
  const folder = join(node.root, "var/lib/virtfn");
  const record = join(folder, "attachments", `${address}.json`);
  fs.mkdirSync(join(folder, "attachments"), { recursive: true });
  const clean = node.toText();
  fs.writeFileSync(record, '{"format": "9.0"}');
  const before = node.toText();
  const refused = await node.call("ADD", config, environmentOf(pod));
  expect(refused.json?.["msg"]).toMatch(new RegExp(`^ERR_RECORD_FORMAT: .*${record}`));
  expect(node.toText()).toBe(before);

  fs.writeFileSync(record, '{"format": "1.0", "own');
  expect(await node.call("ADD", config, environmentOf(pod))).toMatchObject({ exitCode: 0 });
  const [aside = "", reason = ""] = fs.readdirSync(join(folder, "quarantine")).toSorted();
  expect(aside).toMatch(new RegExp(`^${address}\\.\\d+\\.json$`));
  expect(fs.readFileSync(join(folder, "quarantine", reason), "utf8")).toContain(`${record}: it is not JSON`);
  expect(await node.call("DEL", config, environmentOf(pod))).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(clean);
});

// Without its locks nothing is done with a VF: that of another pod would not be safe.
test.each([
  ["var/lib/virtfn", 0],
  ["run/virtfn", 1],
])(
  "ADD with all of /%s read-only, and nothing in it yet, is one error that names a file there; a pod without a VF starts",
  async (state, exitCode) => {
    using node = createStandInNode(1);
    using pod = createTestNetns();
    const before = node.toText();
    const folder = join(node.root, state);
    fs.mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "none", folder]);
    using stack = new DisposableStack();
    stack.defer(() => void execFileSync("umount", [folder]));
    const refused = await node.call("ADD", config, environmentOf(pod));
    expect(refused).toMatchObject({ exitCode: 1, json: { code: 5 } });
    expect(refused.json?.["msg"]).toMatch(new RegExp(`^ERR_SYSTEM_CALL: .*${folder}/.*EROFS$`));
    expect(node.toText()).toBe(before);
    const ended = await node.call("DEL", config, environmentOf(pod));
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.json?.["msg"] ?? "").toMatch(exitCode === 0 ? /^$/ : new RegExp(`${folder}/.*EROFS`));
    expect(node.toText()).toBe(before);
    const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [] };
    const chained = { cniVersion: "1.0.0", name: "blue", type: "virtfn", prevResult };
    const args = "K8S_POD_UID=u;K8S_POD_NAME=a;K8S_POD_NAMESPACE=b";
    const plain = { ...environmentOf(pod), CNI_IFNAME: "eth0", CNI_ARGS: args };
    expect((await node.call("ADD", chained, plain)).json).toMatchObject({ interfaces: [{ name: "eth0" }] });
  },
);
