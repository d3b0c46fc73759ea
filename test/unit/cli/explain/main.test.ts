// virtfn explain pod on a fake node: a pod that has its VF, each place where it can have stopped, and what cannot be told.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { runExplain } from "../../../../cli/explain/main.ts";
import type { Explanation, Step } from "../../../../cli/explain/step.ts";
import { SystemCallError } from "../../../../host/errors.ts";
import { createDoctorNode, type DoctorNode, makePod, writeGrant } from "../../../support/doctor-node.ts";
import { offer } from "../../../support/status-node.ts";
import { bindVf, unbindVf } from "../../../support/fake-host-nic.ts";

interface Outcome {
  readonly exitCode: number;
  readonly text: string;
}

async function explain(node: DoctorNode, args: readonly string[], isTerminal = false): Promise<Outcome> {
  let text = "";
  const print = (part: string): void => void (text += part);
  const listPods = async (): Promise<DoctorNode["pods"]> => node.pods;
  const exitCode = await runExplain(node.host, args, { print, isTerminal, listPods });
  return { exitCode, text };
}

/** The last step of the pod `name`, and all of them by name and state. */
async function follow(
  node: DoctorNode,
  name: string,
): Promise<{ readonly last: Step; readonly way: string }> {
  const { exitCode, text } = await explain(node, ["pod", `shop/${name}`, "--json"]);
  const { steps, vfs } = JSON.parse(text) as Explanation;
  const all = [...steps, ...vfs.flatMap((vf) => vf.steps)];
  expect(exitCode).toBe(all.some(({ state }) => state === "stopped") ? 1 : 0);
  const long = (await explain(node, ["pod", `shop/${name}`])).text.replaceAll(node.fake.root, "").split("\n");
  expect(long.filter((line) => line.length > 100)).toEqual([]);
  return { last: all.at(-1) as Step, way: all.map((step) => `${step.name} ${step.state}`).join(", ") };
}

test("a pod that has its VF: each step, and nothing is changed", async () => {
  using node = createDoctorNode();
  const before = node.fake.toText();
  const { exitCode, text } = await explain(node, ["pod", "shop/web-1"]);
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

/** What is done to the node, the pod that is asked for, its steps, and what the last one tells. */
type Case = readonly [string, (node: DoctorNode) => void, string, string, string];

const up = "kubelet ok, devices ok";

const cases: readonly Case[] = [
  [
    "a pod that is not on this node",
    () => {},
    "web-9",
    "kubelet stopped",
    "the kubelet of this node has no such pod",
  ],
  [
    "a pod that had a VF before the node was reset",
    (node) => void node.attach(1, "web-9", (record) => ({ ...record, bootId: "before" })),
    "web-9",
    "kubelet stopped",
    "before the node was started again it had 0000:3b:02.1",
  ],
  [
    "a pod without VFs",
    (node) => node.pods.push(makePod("web-2", [])),
    "web-2",
    "kubelet ok, devices stopped",
    "its containers have no VF (offered here: sriov/vf)",
  ],
  [
    "a pod that the CNI plugin gave nothing",
    (node) => node.pods.push(makePod("web-2", [node.address(1)])),
    "web-2",
    `${up}, device ok, record stopped`,
    "the kubelet gave it, and nothing attached it: the CNI plugin was not called, or failed; its interface is on the node as ens1f0v1",
  ],
  [
    "a node without the CNI plugin",
    (node) => {
      node.pods.push(makePod("web-2", [node.address(1)]));
      rmSync(join(node.fake.root, "opt/cni/bin/virtfn"));
    },
    "web-2",
    `${up}, device ok, record stopped`,
    "look: /opt/cni/bin/virtfn is missing",
  ],
  [
    "a pod whose VF another pod still has",
    (node) => node.pods.push(makePod("web-2", [node.address(0)])),
    "web-2",
    `${up}, device ok, record stopped`,
    "pod shop/web-1 still has it: the CNI plugin answers ERR_VF_BUSY",
  ],
  [
    "a record that cannot be read",
    (node) => node.host.files.writeAtomic(`${node.host.paths.attachments}/${node.address(0)}.json`, "{"),
    "web-1",
    `${up}, device ok, record stopped`,
    "look: virtfn repair --dry-run",
  ],
  [
    "a VF that is gone from the bus",
    (node) => node.pods.push(makePod("web-2", ["0000:3b:04.0"])),
    "web-2",
    `${up}, device stopped`,
    "it is gone from the PCI bus",
  ],
  [
    "an ADD that never ended",
    (node) => {
      node.pods.push(makePod("web-2", [node.address(1)]));
      node.attach(1, "web-2", (record) => ({ ...record, state: "adding" }));
    },
    "web-2",
    `${up}, device ok, record stopped`,
    "it is being attached since 2026-01-01T00:00:00.000Z",
  ],
  [
    "a pod whose sandbox is gone",
    (node) => node.fake.removeNetns("web-1"),
    "web-1",
    `${up}, device ok, record ok, namespace stopped`,
    "its namespace /var/run/netns/web-1 is missing and the VF is on the host as net1",
  ],
  [
    "a pod that took its interface down",
    (node) => node.setUp("web-1", false),
    "web-1",
    `${up}, device ok, record ok, namespace ok, interface stopped`,
    "net1 in /run/netns/web-1 is down",
  ],
  [
    "a VF that somebody took out of the pod",
    (node) => {
      const record = node.attach(1, "web-2");
      node.pods.push(makePod("web-2", [node.address(1)]));
      node.detach(1, "web-2");
      const netns = node.fake.addNetns("web-2");
      const cookie = String(node.fake.kernel.mounted.get(netns)?.cookie);
      node.putRecord({ ...record, owner: { ...record.owner, cookie } });
    },
    "web-2",
    `${up}, device ok, record ok, namespace ok, interface stopped`,
    "it is on the node as ens1f0v1, not in the pod",
  ],
  [
    "a container with the VFIO group of before a reboot",
    (node) => {
      giveToUserspace(node);
      writeGrant(node, "/dev/vfio/77");
    },
    "web-1",
    `${up}, device ok, record ok, namespace ok, interface stopped`,
    "its VFIO group is 10, and the kubelet gives the container 77, that of before a reboot",
  ],
  [
    "a VF for a program in userspace",
    (node) => {
      giveToUserspace(node);
      writeGrant(node, "/dev/vfio/10");
    },
    "web-1",
    `${up}, device ok, record ok, namespace ok, interface ok, interrupts ok`,
    "none are registered",
  ],
  [
    "a pin that something else moved",
    (node) =>
      node.host.files.writeText(`${node.host.paths.proc}/irq/${node.irqs(0)[1]}/smp_affinity_list`, "3"),
    "web-1",
    `${up}, device ok, record ok, namespace ok, interface ok, interrupts ok`,
    "40 (tx 0) on 0, 41 (rx 0) on 3; 1 of 2 as tuning pinned them: something else moves them",
  ],
  [
    "a pod that the CNI plugin took a VF for without the kubelet",
    (node) => {
      node.attach(1, "web-2", (record) => ({ ...record, pickedBy: "cni" }));
      node.pods.push(makePod("web-2", []));
      node.setUp("web-2", true);
    },
    "web-2",
    `${up}, device ok, record ok, namespace ok, interface ok, interrupts ok`,
    "not pinned: tuning does not run",
  ],
];

test.each(cases)("%s", async (_, change, pod, way, text) => {
  using node = createDoctorNode();
  change(node);
  const followed = await follow(node, pod);
  expect(followed.way).toBe(way);
  const { text: told, hints } = followed.last;
  expect([told, ...hints.map((hint) => `look: ${hint}`)].join("\n")).toContain(text);
  expect(hints.length > 0).toBe(followed.last.state === "stopped");
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
  const text = (await explain(node, ["pod", "shop/web-1"])).text.replaceAll(/\s+/g, " ");
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
  const { steps, vfs } = JSON.parse(text) as Explanation;
  expect([...steps, ...vfs.flatMap((vf) => vf.steps)].map(({ name, state }) => `${name} ${state}`)).toEqual([
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
  expect((await explain(node, ["pod", "shop/web-1"])).text).not.toContain("\u001B");
  expect((await explain(node, ["pod", "shop/web-1"], true)).text).toContain("\u001B[32mok\u001B[0m");
  expect((await explain(node, ["--help"])).text).toContain("Usage: virtfn explain pod NAMESPACE/NAME");
  for (const args of [
    [],
    ["pod"],
    ["pod", "web-1"],
    ["node", "shop/web-1"],
    ["pod", "a/b", "c"],
    ["pod", "a/b", "-x"],
  ])
    await expect(explain(node, args)).rejects.toMatchObject({ code: "ERR_USAGE" });
});

/** Gives VF 0, which web-1 has, to vfio-pci, as a network with `driver` does. */
function giveToUserspace(node: DoctorNode): void {
  unbindVf(node.fake.kernel, node.address(0));
  bindVf(node.fake.kernel, node.address(0), "vfio-pci", node.fake.clock);
  for (const irq of node.irqs(0)) rmSync(join(node.fake.root, `proc/irq/${irq}`), { recursive: true });
}

async function refuse(): Promise<never> {
  throw new SystemCallError("connect", "kubelet.sock", "ECONNREFUSED");
}
