// Uninstall on a fake node: its whole tree is as before the installation, whoever was killed in between.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { runUninstall } from "../../../../cli/uninstall/main.ts";
import { planUninstall } from "../../../../cli/uninstall/plan.ts";
import { describeStep, uninstall } from "../../../../cli/uninstall/uninstall.ts";
import type { Host } from "../../../../host/host.ts";
import { parsePciAddress } from "../../../../sriov/pci-address.ts";
import { writeTuningRecord } from "../../../../sriov/tuning-store.ts";
import { addPolicyFolder } from "../../../../tuning/irqbalance/config-text.ts";
import { writeTold } from "../../../../tuning/irqbalance/told-record.ts";
import { callCni, podArgs } from "../../../support/cni-call.ts";
import type { FakeHost } from "../../../support/fake-host.ts";
import { startIrqBalance } from "../../../support/fake-irqbalance.ts";
import { conflist, folders, install, list, makeNode, show } from "../../../support/installed-node.ts";

async function add(node: FakeHost, pod: number): Promise<void> {
  const netns = node.addNetns(`web-${pod}`);
  const call = { containerId: `c${pod}`, netns, args: podArgs(`web-${pod}`) };
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: `0000:3b:02.${pod}` };
  expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
}

async function del(node: FakeHost, pod: number): Promise<void> {
  const call = { command: "DEL", containerId: `c${pod}`, args: podArgs(`web-${pod}`), netns: "" };
  const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: `0000:3b:02.${pod}` };
  node.removeNetns(`web-${pod}`);
  expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
}

test("the node's tree is the one of before the installation, and a second run finds nothing", async () => {
  using node = makeNode();
  const before = show(node);
  install(node);
  await add(node, 1);
  await del(node, 1);
  expect(show(node)).not.toBe(before);
  await uninstall(node.host, folders);
  expect(show(node)).toBe(before);
  expect(await uninstall(node.host, folders)).toEqual([]);
});

test("killed before or after any of its steps, the next run completes it", async () => {
  using probe = makeNode();
  install(probe);
  const total = planUninstall(probe.host, folders).length;
  expect(total).toBeGreaterThan(7);
  for (let at = 0; at <= total; at += 1) {
    using node = makeNode();
    const before = show(node);
    install(node);
    await expect(uninstall(dyingAfter(node.host, at), folders)).rejects.toThrow("killed");
    await uninstall(node.host, folders);
    expect({ at, text: show(node) }).toEqual({ at, text: before });
  }
}, 30_000);

function die(): never {
  throw new Error("killed");
}

/** Its first `steps` changes are made; what comes then is an error, the last one at the very end. */
function dyingAfter(host: Host, steps: number): Host {
  let left = steps;
  const counted =
    <Args extends readonly unknown[], T>(call: (...args: Args) => T) =>
    (...args: Args): T => {
      if (left === 0) die();
      left -= 1;
      const result = call(...args);
      return left === 0 && steps > 0 ? die() : result;
    };
  const { files } = host;
  return {
    ...host,
    files: {
      ...host.files,
      remove: counted((path: string) => files.remove(path)),
      rename: counted((from: string, to: string) => files.rename(from, to)),
      removeFolder: counted((path: string) => files.removeFolder(path)),
      replaceUnchanged: counted((...args: Parameters<typeof files.replaceUnchanged>) =>
        files.replaceUnchanged(...args),
      ),
    },
  };
}

test("what tuning changed before a reboot goes too, with the lock that this takes; the administrator's files stay", async () => {
  using node = makeNode();
  const before = show(node);
  install(node);
  const address = parsePciAddress("0000:3b:02.1");
  writeTuningRecord(node.host, { address, bootId: "another", inode: "1", vectors: [] });
  fs.writeFileSync(join(node.root, "etc/virtfn/node.yaml"), "pfs: []\n");
  await uninstall(node.host, folders);
  fs.rmSync(join(node.root, "etc/virtfn/node.yaml"));
  fs.rmdirSync(join(node.root, "etc/virtfn"));
  expect(show(node)).toBe(before);
});

test("what irqbalance was told is taken back, with the line in its configuration", async () => {
  using node = makeNode();
  const path = join(node.root, "etc/default/irqbalance");
  fs.mkdirSync(join(path, ".."), { recursive: true });
  fs.writeFileSync(path, "#IRQBALANCE_ARGS=\n");
  const irqbalance = startIrqBalance(node, { pid: 77, bans: [9] });
  const before = show(node);
  install(node);
  fs.writeFileSync(path, addPolicyFolder("#IRQBALANCE_ARGS=\n", "/var/lib/virtfn/irqbalance.d") ?? "");
  irqbalance.bans = [9, 41, 42];
  const told = { bootId: node.host.clock.bootId(), pid: 77, startTicks: "7700", irqs: [41, 42], covered: [] };
  writeTold(node.host, { told, folders: [] });
  const steps = (await uninstall(node.host, folders)).map(describeStep);
  expect(steps).toContain("take back what irqbalance was told");
  expect(irqbalance.bans).toEqual([9]);
  expect(show(node)).toBe(before);
});

test("an irqbalance that does not answer is told of, and everything else stays until it does", async () => {
  using node = makeNode();
  install(node);
  const irqbalance = startIrqBalance(node, { pid: 77 });
  const told = { bootId: node.host.clock.bootId(), pid: 77, startTicks: "7700", irqs: [41], covered: [] };
  writeTold(node.host, { told, folders: [] });
  node.sockets.servers.clear();
  const before = show(node);
  await expect(uninstall(node.host, folders)).rejects.toMatchObject({
    code: "ERR_UNINSTALL",
    message: expect.stringContaining("process 77 cannot be asked") as string,
  });
  expect(show(node)).toBe(before);
  irqbalance.end();
  await uninstall(node.host, folders);
  expect(await uninstall(node.host, folders)).toEqual([]);
});

test("while pods have VFs it refuses, names them, and leaves everything", async () => {
  using node = makeNode();
  install(node);
  await add(node, 1);
  await add(node, 2);
  fs.writeFileSync(join(node.host.paths.attachments, "0000:3b:02.2.json"), "");
  const before = show(node);
  await expect(uninstall(node.host, folders)).rejects.toMatchObject({
    code: "ERR_UNINSTALL",
    message: expect.stringMatching(
      /2 VFs are in use by pod shop\/web-1 \(0000:3b:02\.1\), somebody \(.*02\.2\.json\)/,
    ) as string,
  });
  expect(show(node)).toBe(before);
});

test("a pod that came before the entry was gone keeps executable and state", async () => {
  using node = makeNode();
  install(node);
  let added: Promise<void> | undefined;
  const files: Host["files"] = {
    ...node.host.files,
    replaceUnchanged: (...args) => {
      const isWritten = node.host.files.replaceUnchanged(...args);
      added = add(node, 1);
      return isWritten;
    },
    list: (path) => node.host.files.list(path),
  };
  const locks: Host["locks"] = {
    ...node.host.locks,
    acquire: async (...args) => {
      await added;
      return await node.host.locks.acquire(...args);
    },
  };
  fs.mkdirSync(node.host.paths.locks, { recursive: true });
  fs.writeFileSync(join(node.host.paths.locks, "0000:3b:02.3"), "");
  await expect(uninstall({ ...node.host, files, locks }, folders)).rejects.toMatchObject({
    code: "ERR_UNINSTALL",
  });
  expect(fs.existsSync(join(node.root, "opt/cni/bin/virtfn"))).toBe(true);
  expect(fs.readFileSync(conflist(node), "utf8")).toBe(list);
  await del(node, 1);
  await uninstall(node.host, folders);
  expect(fs.existsSync(join(node.root, "var/lib/virtfn"))).toBe(false);
});

test("a CNI call under way, by its lock, keeps executable and state", async () => {
  using node = makeNode();
  install(node);
  fs.mkdirSync(node.host.paths.locks, { recursive: true });
  fs.writeFileSync(join(node.host.paths.locks, "0000:3b:02.3"), "");
  const lock = await node.host.locks.acquire("0000:3b:02.3");
  await expect(uninstall(node.host, folders)).rejects.toMatchObject({ code: "ERR_UNINSTALL" });
  expect(fs.existsSync(join(node.root, "opt/cni/bin/virtfn"))).toBe(true);
  lock[Symbol.dispose]();
  await uninstall(node.host, folders);
  expect(fs.existsSync(join(node.root, "opt/cni/bin/virtfn"))).toBe(false);
});

test("what the other program's installer wrote since is its newer file, and what it wrote before is put back", async () => {
  using node = makeNode();
  install(node);
  fs.writeFileSync(join(node.root, "opt/cni/bin/sriov"), "sriov-cni, newer");
  await uninstall(node.host, folders);
  expect(fs.readFileSync(join(node.root, "opt/cni/bin/sriov"), "utf8")).toBe("sriov-cni, newer");
  expect(fs.readdirSync(join(node.root, "opt/cni/bin")).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "bridge",
    "host-local",
    "sriov",
    "static",
  ]);
});

test.each([
  [
    '{"cniVersion":"1.0.0","name":"c","plugins":[{"type":"virtfn","pf":"ens1f0"}]}',
    "as the network of every pod",
  ],
  ['{"cniVersion":"1.0.0","name":"c","type":"virtfn"}', "as the network of every pod"],
  ['{"plugins":[{"type":"virtfn"}', "is not understood"],
])("a configuration that cannot do without is left, with everything else: %s", async (text, problem) => {
  using node = makeNode();
  install(node);
  fs.writeFileSync(join(node.root, "etc/cni/net.d/30-own.conf"), text);
  const before = show(node);
  await expect(uninstall(node.host, folders)).rejects.toThrow(problem);
  expect(show(node)).toBe(before);
});

test("a configuration that is a link, as the host follows it, is left, with everything else", async () => {
  using node = makeNode();
  install(node);
  const [link, file] = [
    join(node.root, "etc/cni/net.d/05-link.conflist"),
    join(node.root, "etc/link.conflist"),
  ];
  fs.symlinkSync("/etc/link.conflist", link);
  fs.writeFileSync(file, fs.readFileSync(conflist(node), "utf8"));
  const before = show(node);
  await expect(uninstall(node.host, folders)).rejects.toThrow(
    "05-link.conflist: it names virtfn, and is a link",
  );
  expect(show(node)).toBe(before);
  fs.writeFileSync(file, list);
  await uninstall(node.host, folders);
  expect(fs.readFileSync(file, "utf8")).toBe(list);
});

test("the folder of device-info files for Multus goes when none of another plugin is in it", async () => {
  using node = makeNode();
  install(node);
  const folder = join(node.root, "run/k8s.cni.cncf.io/devinfo/cni");
  fs.mkdirSync(folder, { recursive: true });
  await uninstall(node.host, folders);
  expect(fs.existsSync(join(node.root, "run/k8s.cni.cncf.io"))).toBe(false);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(join(folder, "another.json"), "{}");
  await uninstall(node.host, folders);
  expect(fs.readdirSync(folder)).toEqual(["another.json"]);
});

test("the command tells each step, or what it would do", async () => {
  using node = makeNode();
  install(node);
  const run = async (...args: readonly string[]): Promise<string> => {
    let text = "";
    expect(await runUninstall(node.host, args, (part) => (text += part))).toBe(0);
    return text.replaceAll(node.root, "");
  };
  const before = show(node);
  const dry = await run("--dry-run");
  expect(show(node)).toBe(before);
  expect(`\n${dry}`).toMatchInlineSnapshot(`
    "
    take the entry out of /etc/cni/net.d/10-cluster.conflist
    remove /run/cdi/.virtfn.sriov-net-vf.json.77.0123abcd.tmp
    remove /run/cdi/virtfn.sriov-net-vf.json
    remove /run/k8s.cni.cncf.io/devinfo/dp/sriov-vf-0000:3b:02.0-device.json
    remove /run/k8s.cni.cncf.io/devinfo/dp
    remove /run/k8s.cni.cncf.io/devinfo
    remove /run/k8s.cni.cncf.io
    remove /etc/udev/rules.d/84-virtfn.rules
    remove /run/virtfn/deviceplugin/pools.json
    remove /run/virtfn/deviceplugin
    remove /run/virtfn
    remove /opt/cni/bin/host-device
    put /opt/cni/bin/sriov.before-virtfn back as /opt/cni/bin/sriov
    remove /opt/cni/bin/virtfn
    remove /etc/virtfn
    "
  `);
  expect(await run()).toBe(dry);
  expect(await run()).toBe("nothing is left of virtfn\n");
  expect(await run("--help")).toContain("--stay");
  for (const args of [["--dry-run", "--stay"], ["--cni-bin-dir=bin"], ["now"]])
    await expect(runUninstall(node.host, args, () => {})).rejects.toMatchObject({ code: "ERR_USAGE" });
});
