// Words that containerd takes for the success of a DEL: no error of ours says them, whoever's words it passes on.

import { expect, test } from "vitest";

import type { ExecResult } from "../../../host/exec.ts";
import { createAttachedNode, createPodNode } from "../../support/attached-node.ts";
import { callCni } from "../../support/cni-call.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", ipam };

/** containerd go-cni, cni.go, Remove; the second only where CNI_NETNS is empty. */
const isTakenForSuccess = (text: string): boolean =>
  text.includes("not found") || text.includes("no such file or directory");

const answer = (error: object): ExecResult => ({ exitCode: 1, stdout: JSON.stringify(error), stderr: "" });

test.each([
  [
    "a message",
    answer({ code: 999, msg: "pool not found" }),
    "IPAM DEL by host-local for net1: pool not-found",
  ],
  [
    "details",
    answer({ code: 999, msg: "etcd", details: "key not found: not found" }),
    "etcd; key not-found: not-found",
  ],
  [
    "text that is no JSON",
    { exitCode: 127, stdout: "", stderr: "sh: line 1: etcdctl: command not found" },
    "exit code 127: sh: line 1: etcdctl: command not-found",
  ],
  [
    "a file",
    answer({ code: 5, msg: "open /var/lib/cni/x: no such file or directory" }),
    "open /var/lib/cni/x: no such file or folder",
  ],
])("those of a delegate, in %s", async (_title, result, told) => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  const host = { ...node.host, exec: { run: async () => result } };
  for (const netns of ["/run/netns/web-1", ""]) {
    const { exitCode, json = {} } = await callCni(host, config, { command: "DEL", netns });
    const { msg, details } = json as { readonly msg: string; readonly details: string };
    expect({ netns, exitCode, isTaken: isTakenForSuccess(`${msg}; ${details}`) }).toEqual({
      netns,
      exitCode: 1,
      isTaken: false,
    });
    expect(msg).toContain(told);
  }
});

test("those of a delegate that is missing", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  node.host.files.remove(`${node.host.paths.root}/opt/cni/bin/host-local`);
  const { exitCode, json } = await callCni(node.host, config, { command: "DEL", netns: "" });
  expect({ exitCode, isTaken: isTakenForSuccess(JSON.stringify(json)) }).toEqual({
    exitCode: 1,
    isTaken: false,
  });
});

test("an ADD says what the delegate said", async () => {
  using node = createPodNode();
  node.ipam.failNextAdd(answer({ code: 999, msg: "pool not found" }));
  expect((await callCni(node.host, config)).json).toMatchObject({
    msg: expect.stringContaining("pool not found") as string,
  });
});
