// Each thing that virtfn doctor looks for, on a fake node that has it and nothing else wrong.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import type { Finding } from "../../../../cli/doctor/check.ts";
import { writeContestedPins } from "../../../../sriov/contested-pins.ts";
import { callDoctor, findTrouble, type Told } from "../../../support/call-doctor.ts";
import { createDoctorNode, type DoctorNode, makePod, writeGrant } from "../../../support/doctor-node.ts";
import { findByName } from "../../../support/fake-host-kernel.ts";
import { setDriverLink } from "../../../support/fake-host-sysfs.ts";
import { offer } from "../../../support/status-node.ts";

/** What is done to the node, then the check that tells, how bad it is, and what of the text. */
type Case = readonly [string, (node: DoctorNode) => void, string, Finding["severity"], string];

const cases: readonly Case[] = [
  [
    "an old kernel",
    (node) => node.write("proc/sys/kernel/osrelease", "5.4.0\n"),
    "kernel",
    "error",
    "expected: Linux 5.14 or later",
  ],
  [
    "a VF without driver",
    (node) => rmSync(join(node.fake.root, "sys/bus/pci/devices", node.address(1), "driver")),
    "vf-drivers",
    "warn",
    "no driver: 0000:3b:02.1; pods are not given it",
  ],
  [
    "vfio-pci asked for without an IOMMU",
    (node) => {
      rmSync(join(node.fake.root, "sys/kernel/iommu_groups"), { recursive: true });
      node.write("etc/virtfn/node.yaml", "limits: {sriov/vf: {driver: vfio-pci}}\n");
    },
    "iommu",
    "error",
    "no IOMMU for vfio-pci (networks of sriov/vf (node.yaml))",
  ],
  [
    "no IOMMU where it cannot be told who needs one",
    (node) => rmSync(join(node.fake.root, "sys/kernel/iommu_groups"), { recursive: true }),
    "iommu",
    "unknown",
    "whether vfio-pci is used",
  ],
  [
    "a kubelet with another folder",
    (node) => rmSync(join(node.fake.root, "var/lib/kubelet"), { recursive: true }),
    "kubelet",
    "error",
    "no folder /var/lib/kubelet/device-plugins",
  ],
  [
    "a kubelet that does not run",
    (node) => rmSync(join(node.fake.root, "var/lib/kubelet/device-plugins/kubelet.sock")),
    "kubelet",
    "error",
    "fix: systemctl status kubelet",
  ],
  [
    "no device plugin",
    (node) => rmSync(node.host.paths.pools),
    "device-plugin",
    "warn",
    "no device plugin has looked since the node started",
  ],
  [
    "an unhealthy VF",
    (node) =>
      offer(node, { pools: { "sriov/vf": [node.address(0)] }, unhealthy: { [node.address(0)]: "no link" } }),
    "device-plugin",
    "warn",
    "no link: 0000:3b:02.0",
  ],
  [
    "a pod that has a VF at the kubelet and no record",
    (node) => node.pods.push(makePod("web-2", [node.address(1)])),
    "pod-records",
    "warn",
    "the kubelet gave 0000:3b:02.1 to pod shop/web-2, and there is no record of it",
  ],
  [
    "no CNI executable",
    (node) => rmSync(join(node.fake.root, "opt/cni/bin/virtfn")),
    "cni-executable",
    "error",
    "no /opt/cni/bin/virtfn",
  ],
  [
    "an executable that is none",
    (node) => {
      rmSync(join(node.fake.root, "opt/cni/bin/virtfn"));
      node.write("opt/cni/bin/virtfn", "", 0o600);
    },
    "cni-executable",
    "error",
    "is not an executable file",
  ],
  [
    "a configuration that was written anew",
    (node) => node.write("etc/cni/net.d/05-new.conflist", '{"plugins": [{"type": "bridge"}]}'),
    "cni-configuration",
    "error",
    "the runtime loads /etc/cni/net.d/05-new.conflist, which calls bridge",
  ],
  [
    "no configuration",
    (node) => rmSync(join(node.fake.root, "etc/cni/net.d"), { recursive: true }),
    "cni-configuration",
    "error",
    "no configuration in /etc/cni/net.d",
  ],
  [
    "a VF in a namespace without record",
    (node) => {
      node.attach(1, "odd");
      node.host.files.remove(`${node.host.paths.attachments}/${node.address(1)}.json`);
    },
    "orphans",
    "warn",
    "0000:3b:02.1 is in /run/netns/odd as net1, and has no record",
  ],
  [
    "a record whose pod is gone",
    (node) => {
      node.attach(1, "old");
      node.fake.removeNetns("old");
    },
    "records",
    "warn",
    "0000:3b:02.1 of pod shop/old: its namespace /var/run/netns/old is missing",
  ],
  [
    "a record of an earlier boot",
    (node) => void node.attach(1, "old", (record) => ({ ...record, bootId: "before" })),
    "records",
    "warn",
    "the node was started again since",
  ],
  [
    "a record that cannot be read",
    (node) => node.host.files.writeAtomic(`${node.host.paths.attachments}/${node.address(1)}.json`, "{"),
    "records",
    "error",
    "fix: virtfn repair",
  ],
  [
    "a PF with a larger MTU than its VFs",
    (node) => setLink(node, "ens1f0", { set: "mtu", value: 9000 }),
    "mtu",
    "warn",
    "MTU of ens1f0 9000, of its VFs 0000:3b:02.0 1500, 0000:3b:02.1 1500, 0000:3b:02.2 1500",
  ],
  [
    "a VF with a larger MTU than its PF",
    (node) => setLink(node, "ens1f0v2", { set: "mtu", value: 9000 }),
    "mtu",
    "warn",
    "of its VFs 0000:3b:02.2 9000 (many cards drop",
  ],
  [
    "two VFs with one MAC",
    (node) => setLink(node, "ens1f0v2", { set: "mac", value: "02:00:00:00:00:00" }),
    "macs",
    "error",
    "02:00:00:00:00:00 is the MAC of 0000:3b:02.0, 0000:3b:02.2",
  ],
  [
    "a VF in a pod with the MAC of a PF, below bridges that have one index in two namespaces",
    (node) => {
      setLink(node, "ens1f0", { set: "mac", value: "02:00:00:00:00:00" });
      const inPod = node.fake.kernel.mounted.get("/run/netns/web-1");
      for (const namespace of [node.fake.kernel.host, inPod])
        for (const link of namespace?.links.values() ?? [])
          if (link.name === "ens1f0" || link.name === "net1") link.master = 7;
    },
    "macs",
    "error",
    "02:00:00:00:00:00 is the MAC of 0000:3b:00.0, 0000:3b:02.0",
  ],
  [
    "more VFs than the kernel can tell the counters of",
    (node) => {
      setDriverLink(node.fake.kernel.host.sysfs, "0000:3b:00.0", "ice");
      const link = findByName(node.fake.kernel.host, "ens1f0");
      if (link !== undefined) link.vfTraffic = "unfit";
    },
    "vf-counters",
    "warn",
    "do not fit into one answer of the kernel",
  ],
  [
    "irqbalance beside pins",
    (node) => node.startProcess(["/usr/sbin/irqbalance", "--foreground"]),
    "irqbalance",
    "warn",
    "irqbalance (process 77) runs beside 2 pinned interrupts, and does not know that it shall leave 2 of them alone",
  ],
  [
    "pins that something undoes again and again",
    (node) => {
      const rest = {
        by: "udev",
        undone: 4,
        restSeconds: 60,
        restsUntil: "2026-01-01T00:01:00.000Z",
      } as const;
      const vf = node.address(0);
      const pins = [
        { vf, msiIndex: 0, ...rest },
        { vf, msiIndex: 1, ...rest },
      ];
      writeContestedPins(node.host, pins);
    },
    "contested-pins",
    "warn",
    "vector 0: CONTESTED, its pin was undone 4 times, maybe by udev; it rests until 2026-01-01T00:01:00.000Z; and 1 pin more",
  ],
  [
    "all interrupts on one CPU",
    (node) => {
      node.attach(1, "web-2");
      node.pods.push(makePod("web-2", [node.address(1)]));
      for (const irq of [...node.irqs(0), ...node.irqs(1)])
        node.host.files.writeText(`${node.host.paths.proc}/irq/${irq}/effective_affinity_list`, "0");
    },
    "irq-spread",
    "warn",
    "all interrupts of 2 VFs are served by CPU 0",
  ],
  [
    "a PF that lost queues to its VFs",
    (node) => setQueues(node, 2, 8),
    "pf-queues",
    "warn",
    "ens1f0 has 2 queues since its VFs were made, and had 8 before",
  ],
  [
    "a PF with few queues whose VFs somebody else made",
    (node) => setQueues(node, 2, undefined),
    "pf-queues",
    "unknown",
    "nobody noted what it had before",
  ],
  [
    "a container with the VFIO group of before a reboot",
    (node) => writeGrant(node, "/dev/vfio/77"),
    "vfio-groups",
    "error",
    "container app of pod shop/web-1 is given the VFIO group 77 at each start",
  ],
];

test.each(cases)("%s", async (_, breakIt, check, severity, text) => {
  using node = createDoctorNode();
  breakIt(node);
  const { exitCode, told } = await findTrouble(node);
  const found = told.filter((one) => one.check === check);
  expect(found.map((one) => one.severity)).toEqual([severity]);
  const [{ seen, expected, fix }] = found as [Told];
  expect(`${seen}\nexpected: ${expected}\nfix: ${fix}`).toContain(text);
  const hasAdvice = expected !== undefined && fix !== undefined;
  expect(hasAdvice).toBe(severity !== "unknown");
  // A broken node may be told of by several checks, but never passes as good.
  expect(exitCode).toBe(told.some((one) => one.severity === "error") ? 1 : 0);
  const lines = (await callDoctor(node)).text.replaceAll(node.fake.root, "").split("\n");
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
});

test("the group of now, an MTU that the network asked for, and irqbalance that keeps off are all right", async () => {
  using node = createDoctorNode();
  const group = node.host.files.realPath(
    `${node.host.paths.sys}/bus/pci/devices/${node.address(0)}/iommu_group`,
  );
  writeGrant(node, `/dev/vfio/${group?.split("/").at(-1)}`);
  node.startProcess(["irqbalance", ...node.irqs(0).flatMap((irq) => [`--banirq=${irq}`])]);
  expect(await findTrouble(node)).toEqual({ exitCode: 0, told: [] });
});

function setLink(
  node: DoctorNode,
  name: string,
  change: { set: "mtu"; value: number } | { set: "mac"; value: string },
): void {
  using netlink = node.host.openNetlink();
  netlink.setLink(netlink.getLink({ name })?.index ?? 0, change);
}

function setQueues(node: DoctorNode, now: number, before: number | undefined): void {
  const link = findByName(node.fake.kernel.host, "ens1f0");
  if (link !== undefined) link.sizes.channels["combined"] = { value: now, max: now };
  if (before !== undefined)
    node.write("run/virtfn/pf/0000:3b:00.0.json", `{"format": "1.0", "queues": ${before}}`);
}
