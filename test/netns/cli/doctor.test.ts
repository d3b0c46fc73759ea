// virtfn doctor and explain on the real kernel: VFs in namespaces of pods, with a record and without.

import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";

import type { Explanation } from "../../../cli/explain/step.ts";
import type { DoctorReport } from "../../support/call-doctor.ts";
import { podArgs } from "../../support/cni-call.ts";
import { createTestNetns } from "../../support/netns.ts";
import { createStandInNode, type StandInNode } from "../../support/stand-in-node.ts";

const main = resolve(import.meta.dirname, "../../support/doctor-main.ts");
const [first, second] = ["0000:3b:02.0", "0000:3b:02.1"] as const;
const config = { cniVersion: "1.0.0", name: "lan", type: "virtfn", deviceID: first, ips: ["192.0.2.50/24"] };

function look(node: StandInNode, args: readonly string[], pods: object): unknown {
  const command = ["netns", "exec", node.host.name, process.execPath, main, node.root, ...args, "--json"];
  const env = { ...process.env, PODS: JSON.stringify(pods) };
  try {
    return JSON.parse(execFileSync("ip", command, { env, encoding: "utf8" }));
  } catch (error) {
    // Exit code 1: something is wrong with the node, as it is told on stdout.
    if (error instanceof Error && "stdout" in error) return JSON.parse(String(error.stdout));
    throw error;
  }
}

test("a VF that the CNI plugin attached is followed into its namespace; one that somebody moved there is an orphan", async () => {
  using node = createStandInNode(3);
  using pod = createTestNetns();
  const environment = { CNI_CONTAINERID: "c1", CNI_NETNS: pod.path, CNI_ARGS: podArgs("web-1") };
  expect(await node.call("ADD", config, environment)).toMatchObject({ exitCode: 0 });
  node.host.ip(`link set pf0v1 netns ${pod.name}`);
  const pods = { "web-1": [first], "web-2": [second] };

  const { checks } = look(node, ["doctor"], pods) as DoctorReport;
  const orphans = checks
    .find(({ check }) => check === "orphans")
    ?.findings.filter(({ severity }) => severity === "warn");
  expect(orphans?.map(({ seen }) => seen)).toEqual([
    `${second} is in ${pod.path} as pf0v1, and has no record`,
  ]);

  const { vfs } = look(node, ["explain", "pod", "shop/web-1"], pods) as Explanation;
  const told = new Map(vfs.flatMap(({ steps }) => steps.map(({ name, text }) => [name, text] as const)));
  expect(told.get("record")).toMatch(/^attached as net1 by network lan .*addresses 192\.0\.2\.50\/24/);
  const [link] = pod.look("link show net1") as readonly [{ readonly address: string; readonly mtu: number }];
  expect(told.get("interface")).toBe(`net1 in ${pod.path} is up, MAC ${link.address}, MTU ${link.mtu}`);

  const lost = look(node, ["explain", "pod", "shop/web-2"], pods) as Explanation;
  expect(lost.vfs[0]?.steps.at(-1)).toMatchObject({ name: "record", state: "stopped" });
  expect(lost.vfs[0]?.steps.at(-1)?.text).toContain(`its interface is in ${pod.path} as pf0v1`);
  expect(await node.call("DEL", config, environment)).toMatchObject({ exitCode: 0 });
});
