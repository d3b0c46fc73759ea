// virtfn status on a fake node: the tables, JSON, what is left out and why, following changes, and that nothing changes.

import * as fs from "node:fs";

import { expect, test } from "vitest";

import { runStatus } from "../../../../cli/status/main.ts";
import type { Host } from "../../../../host/host.ts";
import type { NodeView } from "../../../../cli/node/device-view.ts";
import { createPaths } from "../../../../host/paths.ts";
import { writeContestedPins } from "../../../../sriov/contested-pins.ts";
import { writeTuningProblems } from "../../../../sriov/tuning-problems.ts";
import { createDoctorNode, writeGrant } from "../../../support/doctor-node.ts";
import { addAuxDevice } from "../../../support/fixture-aux.ts";
import { createFakeHost } from "../../../support/fake-host.ts";
import { createStatusNode, offer } from "../../../support/status-node.ts";
import { createTuningNode } from "../../../support/tuning-node.ts";

async function status(host: Host, args: readonly string[] = [], isTerminal = false): Promise<string> {
  const printed: string[] = [];
  const output = { print: (text: string) => void printed.push(text), isTerminal };
  expect(await runStatus(host, args, { ...output, signal: new AbortController().signal })).toBe(0);
  return printed.join("");
}

test("the tables tell whose each VF is, how healthy, and why not", async () => {
  using fake = createStatusNode();
  const before = fake.fake.toText();
  const text = await status(fake.host);
  expect(text).toMatchInlineSnapshot(`
    "PF            INTERFACE  DRIVER  NUMA  VFS  LINK  MTU   LEFT OUT
    0000:3b:00.0  ens1f0     igb     0     6/8  up    1500  a PF with VFs: pods are given those

    VF            RESOURCE  HEALTH     POD         INTERFACE  MAC                VLAN  NUMA  CPUS
    0000:3b:02.0  sriov/vf  healthy    shop/web-1  net1       02:00:00:00:aa:01  100   0     0-1
    0000:3b:02.1  sriov/vf  healthy    -           ens1f0v1   02:00:00:00:00:01  -     0     -
    0000:3b:02.2  sriov/vf  unhealthy  -           ens1f0v2   02:00:00:00:00:02  -     0     -
    0000:3b:02.3  -         left out   -           ens1f0v3   02:00:00:00:00:03  -     0     -
    0000:3b:02.4  -         left out   shop/odd    net1       02:00:00:00:00:04  -     0     0-3
    0000:3b:02.5  -         left out   -           ens1f0v5   02:00:00:00:00:05  -     0     -

    unhealthy, the PF ens1f0 has no link: 0000:3b:02.2
    left out, default route through ens1f0v3: 0000:3b:02.3
    left out, taken outside the kubelet: 0000:3b:02.4
    left out, the device plugin has not seen it yet: 0000:3b:02.5
    "
  `);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(fake.fake.toText()).toBe(before);
});

test("wide shows each interrupt, marked where tuning pinned it", async () => {
  using node = createStatusNode();
  expect(await status(node.host, ["-o", "wide"])).toMatchInlineSnapshot(`
    "PF            INTERFACE  DRIVER  NUMA  VFS  LINK  MTU   LEFT OUT
    0000:3b:00.0  ens1f0     igb     0     6/8  up    1500  a PF with VFs: pods are given those

    VF            RESOURCE  HEALTH     POD         INTERFACE  MAC                VLAN  NUMA  PF      INDEX  DRIVER  CONTAINER     IRQS                  REASON
    0000:3b:02.0  sriov/vf  healthy    shop/web-1  net1       02:00:00:00:aa:01  100   0     ens1f0  0      igbvf   container-of  40>0! 41>1! 42>0-3
    0000:3b:02.1  sriov/vf  healthy    -           ens1f0v1   02:00:00:00:00:01  -     0     ens1f0  1      igbvf   -             43>- 44>- 45>-
    0000:3b:02.2  sriov/vf  unhealthy  -           ens1f0v2   02:00:00:00:00:02  -     0     ens1f0  2      igbvf   -             46>- 47>- 48>-        the PF ens1f0 has no link
    0000:3b:02.3  -         left out   -           ens1f0v3   02:00:00:00:00:03  -     0     ens1f0  3      igbvf   -             49>- 50>- 51>-        default route through ens1f0v3
    0000:3b:02.4  -         left out   shop/odd    net1       02:00:00:00:00:04  -     0     ens1f0  4      igbvf   container-of  52>0-3 53>0-3 54>0-3  taken outside the kubelet
    0000:3b:02.5  -         left out   -           ens1f0v5   02:00:00:00:00:05  -     0     ens1f0  5      igbvf   -             55>- 56>- 57>-        the device plugin has not seen it yet

    VF            IRQ  WHAT   CPUS  EFFECTIVE  PINNED  PER S  CAME ON
    0000:3b:02.0  40   tx 0   0     0          0       0      -
    0000:3b:02.0  41   rx 0   1     0          1       0      -
    0000:3b:02.0  42   other  0-3   0          -       0      -
    0000:3b:02.4  52   tx 0   0-3   0          -       0      -
    0000:3b:02.4  53   rx 0   0-3   0          -       0      -
    0000:3b:02.4  54   other  0-3   0          -       0      -

    0000:3b:02.0: policy numa-spread (default), CPUs 0-3
      not 4-7: on NUMA node 1
    0000:3b:02.4: policy numa-spread (default), CPUs 0-3
      not 4-7: on NUMA node 1
    "
  `);
});

test("what the tuning daemon could not do is told, but policies, which are told with the VFs", async () => {
  using node = createStatusNode();
  const vf = node.address(0);
  const problems = [
    { vf, about: "rfs", code: "UNSUPPORTED", message: "rfs is asked for: no" },
    { vf, about: "rps", code: "FALLBACK", message: "using no RPS" },
    { vf, about: "policy", code: "FALLBACK", message: "using numa-spread" },
  ];
  writeTuningProblems(node.host, problems);
  expect((await status(node.host)).split("\n\n").at(-1)).toBe(
    "tuning of 0000:3b:02.0, rfs: UNSUPPORTED: rfs is asked for: no\ntuning of 0000:3b:02.0, rps: FALLBACK: using no RPS\n",
  );
  const view = JSON.parse(await status(node.host, ["--json"])) as NodeView;
  expect(view.tuning).toMatchObject(problems);
});

test("JSON and wide tell how often interrupts come, and where", async () => {
  using node = createStatusNode();
  const path = `${node.host.paths.proc}/interrupts`;
  const [irq] = node.irqs(0);
  fs.writeFileSync(path, `     CPU0 CPU1\n ${irq}:   10    0  x\n`);
  node.fake.clock.after(500, () => fs.writeFileSync(path, `     CPU0 CPU1\n ${irq}:   10    40  x\n`));
  const view = JSON.parse(await status(node.host, ["--json"])) as NodeView;
  expect(view.vfs[0]?.irqs[0]).toMatchObject({ pinnedTo: 0, perSecond: 40, cameOn: [1] });
});

test("JSON has the same facts", async () => {
  using node = createStatusNode();
  const view = JSON.parse(await status(node.host, ["--json"])) as NodeView;
  expect(view.vfs.map(({ health, pod }) => [health, pod?.name])).toEqual([
    ["healthy", "web-1"],
    ["healthy", undefined],
    ["unhealthy", undefined],
    ["left out", undefined],
    ["left out", "odd"],
    ["left out", undefined],
  ]);
  expect(view.vfs[0]).toMatchObject({ vlan: 100, mac: "02:00:00:00:aa:01", interface: "net1", index: 0 });
  expect(view.vfs[0]?.irqs).toMatchObject([
    { role: "tx 0", cpus: [0], effective: [0], pinnedTo: 0 },
    { role: "rx 0", cpus: [1], effective: [0], pinnedTo: 1 },
    { role: "other", cpus: [0, 1, 2, 3], effective: [0] },
  ]);
});

test("pins that something undoes again and again are told, with who may do it", async () => {
  using node = createStatusNode();
  const contested = { by: "irqbalance", undone: 4, restSeconds: 60 } as const;
  const restsUntil = "2026-01-01T00:01:00.000Z";
  writeContestedPins(node.host, [{ vf: node.address(0), msiIndex: 1, ...contested, restsUntil }]);
  expect((await status(node.host)).split("\n\n").at(-1)).toMatchInlineSnapshot(`
    "0000:3b:02.0 vector 1: CONTESTED, its pin was undone 4 times, maybe by irqbalance; it rests until
      2026-01-01T00:01:00.000Z
    "
  `);
  const view = JSON.parse(await status(node.host, ["--json"])) as NodeView;
  expect(view.contested).toMatchObject([contested]);
});

test("without a device plugin since boot every VF says so, and those that the node lives on say that", async () => {
  using fake = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, userspace: [1] }]);
  const link = [...fake.kernel.host.links.values()].find(({ name }) => name === "ens1f0v0");
  using netlink = fake.host.openNetlink();
  netlink.addAddress(link?.index ?? 0, { family: 4, address: "192.0.2.7", prefixLength: 24 });
  expect(await status(fake.host)).toMatchInlineSnapshot(`
    "PF            INTERFACE  DRIVER  NUMA  VFS  LINK  MTU   LEFT OUT
    0000:3b:00.0  ens1f0     igb     0     2/8  up    1500  a PF with VFs: pods are given those

    VF            RESOURCE  HEALTH    POD  INTERFACE  MAC                VLAN  NUMA  CPUS
    0000:3b:02.0  -         left out  -    ens1f0v0   02:00:00:00:00:00  -     0     -
    0000:3b:02.1  -         left out  -    -          -                  -     0     -

    left out, address 192.0.2.7/24 on ens1f0v0: 0000:3b:02.0
    left out, no device plugin has looked since the node started: 0000:3b:02.1
    "
  `);
});

test("a VF that is offered and gone is unhealthy", async () => {
  using node = createTuningNode(1);
  offer(node, { pools: { "sriov/vf": ["0000:3b:04.0" as never] } });
  expect(await status(node.host)).toContain("unhealthy, the VF is gone from the PCI bus: 0000:3b:04.0");
});

test("a record of an earlier boot, or of an earlier VF at the address, gives the VF to nobody", async () => {
  using node = createTuningNode(2);
  node.attach(0, "old", (record) => ({ ...record, bootId: "before" }));
  node.attach(1, "older", (record) => ({ ...record, device: { ...record.device, inode: "1" } }));
  const view = JSON.parse(await status(node.host, ["--json"])) as NodeView;
  expect(view.vfs.map(({ pod }) => pod)).toEqual([undefined, undefined]);
});

test("what cannot be read is told, and hides nothing else", async () => {
  using node = createStatusNode();
  node.host.files.writeAtomic(node.host.paths.pools, "");
  node.host.files.writeAtomic(`${node.host.paths.attachments}/${node.address(0)}.json`, "{");
  const text = await status(node.host);
  expect(text).toContain(`problem: reading the record ${node.host.paths.pools}: expected`);
  expect(text).toContain("left out, what the device plugin offers cannot be read: 0000:3b:02.0");
  expect(text.replaceAll(/\s+/g, " ")).toContain(`attachments/${node.address(0)}.json:`);
  expect(text).toContain("shop/odd");
});

test("a container with the VFIO group of before a reboot is named, and hides nothing", async () => {
  using node = createDoctorNode();
  writeGrant(node, "/dev/vfio/77");
  const text = (await status({ ...node.host, files: node.fake.host.files })).replaceAll(/\s+/g, " ");
  expect(text).toContain(
    "problem: container app of pod UID uid-of-web-1 is given the VFIO group 77, 0000:3b:02.0 has 10 since the node booted again",
  );
  expect(text).toContain("shop/web-1");
});

test("a device plugin that does not run is told, and that what is shown is what it said", async () => {
  using node = createDoctorNode();
  expect(await status(node.host)).not.toContain("does not run");
  node.fake.sockets.servers.clear();
  const text = (await status(node.host)).replaceAll(/\s+/g, " ");
  expect(text).toContain("problem: the device plugin does not run: nobody serves its sockets");
});

test("in a container without the kubelet's folders the node's own are looked into", async () => {
  using node = createDoctorNode();
  const inside = { ...node.host.paths, kubelet: createPaths("/nowhere").kubelet };
  const host = { ...node.host, paths: inside };
  expect(await status(host)).not.toContain("does not run");
  node.fake.sockets.servers.clear();
  expect((await status(host)).replaceAll(/\s+/g, " ")).toContain("problem: the device plugin does not run");
});

test("subfunctions are shown with resource, health, pod and PF, those that are left out with the reason", async () => {
  using node = createTuningNode(1);
  const pf = "0000:3b:00.0";
  const shape = { pf, netdev: "ens1f0s4" };
  for (const [name, sfnum] of [
    ["mlx5_core.sf.4", 88],
    ["mlx5_core.sf.5", 89],
    ["mlx5_core.sf.6", 90],
  ] as const)
    addAuxDevice(node.fake.root, { pf, name, sfnum, ...(sfnum === 88 ? shape : {}) });
  const ids = ["mlx5_core.sf.4", "mlx5_core.sf.5", "mlx5_core.sf.9"] as never;
  offer(node, {
    pools: { "sriov/vf": [node.address(0)], "sriov/sf": ids },
    unhealthy: { "mlx5_core.sf.5": "the PF ens1f0 has no link" },
    leftOut: { "mlx5_core.sf.6": "no resource selects it" },
  });
  const text = await status(node.host);
  expect(text.split("\n\n").slice(2).join("\n")).toMatchInlineSnapshot(`
    "SUBFUNCTION     RESOURCE  HEALTH     POD  INTERFACE  MAC  PF      NUMBER  NUMA
    mlx5_core.sf.4  sriov/sf  healthy    -    ens1f0s4   -    ens1f0  88      0
    mlx5_core.sf.5  sriov/sf  unhealthy  -    -          -    ens1f0  89      0
    mlx5_core.sf.6  -         left out   -    -          -    ens1f0  90      0
    mlx5_core.sf.9  sriov/sf  unhealthy  -    -          -    -       -       -
    unhealthy, the PF ens1f0 has no link: mlx5_core.sf.5
    left out, no resource selects it: mlx5_core.sf.6
    unhealthy, the subfunction is gone: mlx5_core.sf.9
    "
  `);
  const view = JSON.parse(await status(node.host, ["--json"])) as NodeView;
  expect(view.vfs.map(({ address }) => String(address))).toEqual(["0000:3b:02.0"]);
  expect(view.subfunctions.map(({ name, index, health }) => [name, index, health])).toEqual([
    ["mlx5_core.sf.4", 88, "healthy"],
    ["mlx5_core.sf.5", 89, "unhealthy"],
    ["mlx5_core.sf.6", 90, "left out"],
    ["mlx5_core.sf.9", undefined, "unhealthy"],
  ]);
});

test("a node without SR-IOV says so", async () => {
  using fake = createFakeHost([]);
  expect(await status(fake.host)).toBe("this node has no PF: no device with sriov_totalvfs\n");
});

test("colours are for terminals", async () => {
  using node = createStatusNode();
  expect(await status(node.host)).not.toContain("\u001B");
  expect(await status(node.host, [], true)).toContain("\u001B[31munhealthy\u001B[0m");
});

test("--watch shows it again when it changed, and ends at the signal", async () => {
  using node = createStatusNode();
  const printed: string[] = [];
  const stop = new AbortController();
  const second = Promise.withResolvers<void>();
  const running = runStatus(node.host, ["--watch", "--json"], {
    print: (text) => {
      printed.push(text);
      if (printed.length === 1) node.detach(0, "web-1");
      else second.resolve();
    },
    isTerminal: false,
    signal: stop.signal,
  });
  await second.promise;
  stop.abort();
  expect(await running).toBe(0);
  const owners = printed.map((line) => (JSON.parse(line) as NodeView).vfs[0]?.pod?.name);
  expect(owners).toEqual(["web-1", undefined]);
});

test.each([[["--bogus"]], [["-o", "yaml"]], [["x"]]])("%j is refused", async (args) => {
  using node = createTuningNode(1);
  await expect(status(node.host, args)).rejects.toThrow("virtfn status: ");
});
