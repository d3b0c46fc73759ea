// virtfn doctor on a fake node: all well, what cannot be read, its flags, and that nothing changes.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { runDoctor } from "../../../../cli/doctor/main.ts";
import { SystemCallError } from "../../../../host/errors.ts";
import { createDoctorNode, type DoctorNode } from "../../../support/doctor-node.ts";
import { callDoctor, type DoctorReport, findTrouble } from "../../../support/call-doctor.ts";

test("a node with nothing wrong: every check tells what it saw, and nothing is changed", async () => {
  using node = createDoctorNode();
  const before = node.fake.toText();
  const { exitCode, text } = await callDoctor(node);
  expect(`\n${text}`).toMatchInlineSnapshot(`
    "
    CHECK              RESULT   SEEN
    kernel             ok       Linux 6.12.0-amd64
    pfs                ok       ens1f0 (igb, 3/8 VFs)
    vf-drivers         ok       3 VFs with igbvf
    iommu              ok       on; nothing uses vfio-pci
    kubelet            ok       its folders and sockets are there
                                  (/var/lib/kubelet/device-plugins/kubelet.sock)
    plugin-sockets     ok       the device plugin serves sriov/vf
    device-plugin      ok       sriov/vf: 3 VFs
    pod-records        ok       1 pod at the kubelet, 1 record of VFs in use
    vfio-groups        ok       no container has a VFIO group
    cni-executable     ok       /opt/cni/bin/virtfn
    cni-configuration  ok       /etc/cni/net.d/10-cluster.conflist calls bridge, virtfn
    limits             ok       networks may set anything
    records            ok       the owners of 1 record are alive
    set-aside          ok       nothing had to be set aside
    orphans            ok       1 VF in 1 network namespace, each with a record
    vf-names           ok       no VF has a name of virtfn's in place of its own
    mtu                ok       ens1f0 1500
    macs               ok       4 of PFs and VFs, each once
    vf-counters        ok       the driver igb does not count for its VFs: take the counters in the pods
    irqbalance         ok       not running; 2 pinned interrupts
    contested-pins     ok       nothing undoes pins of tuning again and again
    irq-spread         ok       1 VF with interrupts, on 2 CPUs
    pf-queues          ok       ens1f0 (its driver tells none)

    23 checks: 0 errors, 0 warnings, 0 unknown
    "
  `);
  expect(exitCode).toBe(0);
  expect(node.fake.toText()).toBe(before);
});

test("what cannot be read is unknown with the reason, and never an error", async () => {
  using node = createDoctorNode();
  const closed = ["proc/1/root", "run/netns", "sys/bus/pci/devices", "var/lib/virtfn/attachments"];
  const list: DoctorNode["host"]["files"]["list"] = (path) => {
    if (closed.some((one) => path.includes(one))) throw new SystemCallError("readdir", path, "EACCES");
    return node.host.files.list(path);
  };
  const host = {
    ...node.host,
    files: { ...node.host.files, list },
    paths: { ...node.host.paths, hostRoot: `${node.fake.root}/proc/1/root` },
  };
  let text = "";
  const print = (part: string): void => void (text += part);
  expect(await runDoctor(host, ["--json"], { print, isTerminal: false, listPods: refuse })).toBe(0);
  const { checks } = JSON.parse(text) as DoctorReport;
  const unknown = checks.filter(({ findings }) => findings.every(({ severity }) => severity === "unknown"));
  expect(unknown.map(({ check }) => check)).toMatchInlineSnapshot(`
    [
      "pfs",
      "vf-drivers",
      "kubelet",
      "pod-records",
      "vfio-groups",
      "cni-executable",
      "cni-configuration",
      "records",
      "orphans",
      "mtu",
      "macs",
      "vf-counters",
      "irqbalance",
      "irq-spread",
      "pf-queues",
    ]
  `);
  expect(unknown.flatMap(({ findings }) => findings.map(({ seen }) => seen)).join("\n")).toContain("EACCES");
});

test("interfaces that are not seen are told as such, and their MTUs and MACs do not pass as good", async () => {
  using node = createDoctorNode();
  node.attach(1, "hidden");
  node.fake.kernel.mounted.delete("/run/netns/hidden");
  for (const [index, { name }] of node.fake.kernel.host.links)
    if (name === "ens1f0") node.fake.kernel.host.links.delete(index);
  const { told } = await findTrouble(node);
  const unseen = "the interfaces of 0000:3b:00.0, 0000:3b:02.1 are not seen from here";
  for (const check of ["mtu", "macs"])
    expect(told).toContainEqual(expect.objectContaining({ check, severity: "unknown", seen: unseen }));
});

test("VFs in namespaces are found by sysfs, too, where links do not tell their device", async () => {
  using node = createDoctorNode();
  const openNetlink: DoctorNode["host"]["openNetlink"] = (netns) => {
    const netlink = node.host.openNetlink(netns);
    const listLinks = () =>
      netlink.listLinks().map((link) => Object.assign(link, { parentDevice: undefined }));
    return { ...netlink, listLinks };
  };
  const { text } = await callDoctor({ ...node, host: { ...node.host, openNetlink } });
  expect(text).toContain("orphans            ok       1 VF in 1 network namespace, each with a record");
});

test("a node without SR-IOV says so", async () => {
  using node = createDoctorNode();
  rmSync(join(node.fake.root, "sys/bus/pci/devices"), { recursive: true });
  const { told } = await findTrouble(node);
  expect(told.map(({ check, seen }) => `${check}: ${seen}`)).toContain(
    "pfs: no device that can have VFs (no sriov_totalvfs)",
  );
});

test("colours are for terminals, --help tells the flags, others are refused", async () => {
  using node = createDoctorNode();
  expect((await callDoctor(node)).text).not.toContain("\u001B");
  expect((await callDoctor(node, [], true)).text).toContain("\u001B[32mok\u001B[0m");
  expect((await callDoctor(node, ["--help"])).text).toContain("Usage: virtfn doctor");
  for (const args of [["--fix"], ["now"]])
    await expect(callDoctor(node, args)).rejects.toMatchObject({ code: "ERR_USAGE" });
});

async function refuse(): Promise<never> {
  throw new SystemCallError("connect", "kubelet.sock", "ECONNREFUSED");
}
