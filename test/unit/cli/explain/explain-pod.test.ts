// Each place where the way of a pod's VF can stop, on a fake node where it does.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import type { Explanation } from "../../../../cli/explain/step.ts";
import { writeContestedPins } from "../../../../sriov/contested-pins.ts";
import { callExplain, listSteps } from "../../../support/call-explain.ts";
import { createDoctorNode, type DoctorNode, makePod, writeGrant } from "../../../support/doctor-node.ts";
import { bindVf, unbindVf } from "../../../support/fake-host-nic.ts";

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
    "a pod without VFs, where what is offered cannot be read",
    (node) => {
      node.pods.push(makePod("web-2", []));
      node.host.files.writeAtomic(node.host.paths.pools, "{");
    },
    "web-2",
    "kubelet ok, devices unknown",
    "its containers have no device with a PCI address; what is offered here is not known: ",
  ],
  [
    "a pod with a subfunction",
    (node) => node.pods.push(makePod("web-2", ["mlx5_core.sf.4"])),
    "web-2",
    "kubelet ok, devices ok",
    "the kubelet gave it sriov/vf: mlx5_core.sf.4; a subfunction is attached by another CNI plugin, which leaves no record",
  ],
  [
    "a pod with an accelerator",
    (node) => {
      node.pods.push(makePod("web-2", [node.address(1)]));
      node.write(`sys/bus/pci/devices/${node.address(1)}/class`, "0x120001\n");
    },
    "web-2",
    `${up}, device ok, record ok`,
    "none: it is no network device, and no CNI plugin attaches it",
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
    "a pin that tuning lets rest",
    (node) => {
      node.host.files.writeText(`${node.host.paths.proc}/irq/${node.irqs(0)[1]}/smp_affinity_list`, "3");
      const rest = { undone: 4, restSeconds: 60, restsUntil: "2026-01-01T00:01:00.000Z" };
      writeContestedPins(node.host, [{ vf: node.address(0), msiIndex: 1, by: "driver", ...rest }]);
    },
    "web-1",
    `${up}, device ok, record ok, namespace ok, interface ok, interrupts ok`,
    "vector 1: CONTESTED, its pin was undone 4 times, maybe by driver",
  ],
  [
    "a tuning record that cannot be read",
    (node) => node.host.files.writeAtomic(`${node.host.paths.tuningState}/${node.address(0)}.json`, "{"),
    "web-1",
    `${up}, device ok, record ok, namespace ok, interface ok, interrupts ok`,
    "whether tuning pinned them is not known: reading the tuning record",
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
  const { exitCode, text: json } = await callExplain(node, ["pod", `shop/${pod}`, "--json"]);
  const steps = listSteps(JSON.parse(json) as Explanation);
  expect(steps.map(({ name, state }) => `${name} ${state}`).join(", ")).toBe(way);
  const { text: told = "", hints = [], state } = steps.at(-1) ?? {};
  expect([told, ...hints.map((hint) => `look: ${hint}`)].join("\n")).toContain(text);
  expect(hints.length > 0).toBe(state === "stopped");
  expect(exitCode).toBe(state === "stopped" ? 1 : 0);
  const shown = (await callExplain(node, ["pod", `shop/${pod}`])).text.replaceAll(node.fake.root, "");
  expect(shown.split("\n").filter((line) => line.length > 100)).toEqual([]);
});

/** Gives VF 0, which web-1 has, to vfio-pci, as a network with `driver` does. */
function giveToUserspace(node: DoctorNode): void {
  unbindVf(node.fake.kernel, node.address(0));
  bindVf(node.fake.kernel, node.address(0), "vfio-pci", node.fake.clock);
  for (const irq of node.irqs(0)) rmSync(join(node.fake.root, `proc/irq/${irq}`), { recursive: true });
}
