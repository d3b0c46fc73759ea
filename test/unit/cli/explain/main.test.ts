// virtfn explain pod on a fake node: a pod that has its VF, what cannot be told, its flags, and that nothing changes.

import { expect, test } from "vitest";

import { runExplain } from "../../../../cli/explain/main.ts";
import type { Explanation } from "../../../../cli/explain/step.ts";
import { SystemCallError } from "../../../../host/errors.ts";
import { callExplain, listSteps } from "../../../support/call-explain.ts";
import { createDoctorNode, type DoctorNode } from "../../../support/doctor-node.ts";
import { offer } from "../../../support/status-node.ts";

test("a pod that has its VF: each step, and nothing is changed", async () => {
  using node = createDoctorNode();
  const before = node.fake.toText();
  const { exitCode, text } = await callExplain(node, ["pod", "shop/web-1"]);
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    pod shop/web-1

     1  kubelet     ok       admitted on this node, containers app
     2  devices     ok       the kubelet gave it sriov/vf: 0000:3b:02.0

    VF 0000:3b:02.0
     3  device      ok       VF 0 of ens1f0, driver igbvf, NUMA node 0
     4  record      ok       attached as net1 by network blue at 2026-01-01T00:00:00.000Z
     5  namespace   ok       its namespace /var/run/netns/web-1 exists
     6  interface   ok       net1 in /run/netns/web-1 is up, MAC 02:00:00:00:00:00, MTU 1500
     7  interrupts  ok       40 (tx 0) on 0, 41 (rx 0) on 1; pinned by tuning

    At a reset of the node the kubelet admits its pods again before any device plugin can run: a pod
    with VFs ends as Failed (UnexpectedAdmissionError). Its controller makes a new one; a bare pod has
    to be made again by hand. Its network namespace is gone with the old boot, and its record and
    addresses are given back by tuning, or by the first pod that gets a VF.
    "
  `);
  expect(exitCode).toBe(0);
  expect(node.fake.toText()).toBe(before);
});

test("an unhealthy VF, its settings and its addresses are told", async () => {
  using node = createDoctorNode();
  offer(node, { pools: { "sriov/vf": [node.address(0)] }, unhealthy: { [node.address(0)]: "no link" } });
  const applied = {
    vlan: 100,
    mac: "02:00:00:00:aa:01",
    trust: true,
    addresses: ["192.0.2.7/24"],
    routes: [],
  };
  const record = node.record(0);
  node.putRecord({ ...record, applied, tuning: { policy: "follow-pod" } });
  const text = (await callExplain(node, ["pod", "shop/web-1"])).text.replaceAll(/\s+/g, " ");
  for (const part of [
    "unhealthy: no link",
    "; VLAN 100, MAC 02:00:00:00:aa:01, trust on, addresses 192.0.2.7/24",
    "policy follow-pod; pinned by tuning",
  ])
    expect(text).toContain(part);
});

test("what cannot be read is unknown with the reason, and the rest is told all the same", async () => {
  using node = createDoctorNode();
  const list: DoctorNode["host"]["files"]["list"] = (path) => {
    if (path.endsWith("/run/netns")) throw new SystemCallError("readdir", path, "EACCES");
    return node.host.files.list(path);
  };
  let text = "";
  const exitCode = await runExplain(
    { ...node.host, files: { ...node.host.files, list } },
    ["pod", "shop/web-1", "--json"],
    { print: (part) => (text += part), isTerminal: false, listPods: refuse },
  );
  const steps = listSteps(JSON.parse(text) as Explanation);
  expect(steps.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "kubelet unknown",
    "devices unknown",
    "device ok",
    "record ok",
    "namespace ok",
    "interface unknown",
    "interrupts ok",
  ]);
  expect(exitCode).toBe(0);
});

test("colours are for terminals, --help tells the flags, what is no pod is refused", async () => {
  using node = createDoctorNode();
  expect((await callExplain(node, ["pod", "shop/web-1"])).text).not.toContain("\u001B");
  expect((await callExplain(node, ["pod", "shop/web-1"], true)).text).toContain("\u001B[32mok\u001B[0m");
  expect((await callExplain(node, ["--help"])).text).toContain("Usage: virtfn explain pod NAMESPACE/NAME");
  for (const args of [
    [],
    ["pod"],
    ["pod", "web-1"],
    ["node", "shop/web-1"],
    ["pod", "a/b", "c"],
    ["pod", "a/b", "-x"],
  ])
    await expect(callExplain(node, args)).rejects.toMatchObject({ code: "ERR_USAGE" });
});

async function refuse(): Promise<never> {
  throw new SystemCallError("connect", "kubelet.sock", "ECONNREFUSED");
}
