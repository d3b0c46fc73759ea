// What repair does with each record: gone owners' VFs come home, everything that cannot be told stays.

import * as fs from "node:fs";
import { basename, join } from "node:path";

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { applyRepair, planRepair, type RepairStep } from "../../../sriov/repair.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const network = {
  cniVersion: "1.0.0",
  name: "blue",
  type: "virtfn",
  vlan: 7,
  mac: "02:00:00:00:aa:01",
  ipam,
};
const device = (vf: number): string => `0000:3b:02.${vf}`;

/** Pod web-N has VF N - 1. */
async function add(node: FakeHost, pod: number): Promise<void> {
  const netns = node.addNetns(`web-${pod}`);
  const call = { containerId: `c${pod}`, netns, args: podArgs(`web-${pod}`) };
  const config = { ...network, mac: `02:00:00:00:aa:0${pod}`, deviceID: device(pod - 1) };
  expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
}

const plan = (host: Host): readonly RepairStep[] =>
  planRepair(
    host,
    ofGoneOwners(host, () => undefined),
  );

async function repair(host: Host, steps = plan(host)): Promise<string> {
  const outcomes = await applyRepair(
    host,
    ofGoneOwners(host, () => undefined),
    steps,
    { lockTimeoutMs: 0 },
  );
  return outcomes
    .map(({ address, action, reason, problem }) => `${address} ${action}: ${problem?.code ?? reason}`)
    .join("\n");
}

const recordPath = (node: FakeHost, vf: number): string =>
  join(node.host.paths.attachments, `${device(vf)}.json`);

function rewrite(node: FakeHost, vf: number, change: object): void {
  const record = JSON.parse(fs.readFileSync(recordPath(node, vf), "utf8")) as object;
  fs.writeFileSync(recordPath(node, vf), JSON.stringify({ ...record, ...change }));
}

test("the VF of a pod that is gone comes home as it was, with its lease; that of a living pod stays", async () => {
  using node = createFakeHost();
  await add(node, 1);
  const before = node.toText();
  await add(node, 2);
  node.removeNetns("web-2");
  const there = node.toText();
  expect(plan(node.host).map(({ action }) => action)).toEqual(["keep", "release"]);
  expect(node.toText()).toBe(there);
  expect(await repair(node.host)).toMatchInlineSnapshot(`
    "0000:3b:02.0 keep: its namespace /run/netns/web-1 exists
    0000:3b:02.1 release: its namespace /run/netns/web-2 is missing and the VF is on the host as net1"
  `);
  expect(node.toText()).toBe(before);
  expect(await repair(node.host)).toBe("0000:3b:02.0 keep: its namespace /run/netns/web-1 exists");
});

interface UserspaceScene {
  readonly name: string;
  readonly mounts: string;
  /** What process 4711 has open. */
  readonly open?: string;
  readonly result: string;
}
const [plainFolder, ownMount] = ["25 1 0:22 / /run rw - tmpfs tmpfs rw", "26 25 0:22 /netns /run/netns rw"];

test.each<UserspaceScene>([
  {
    name: "a process has it open",
    mounts: ownMount,
    open: "/dev/vfio/GROUP",
    result: "keep: its namespace /run/netns/web-1 is missing, but process 4711 has /dev/vfio/GROUP open",
  },
  {
    name: "the folder is empty and no mount point: namespaces may be kept elsewhere",
    mounts: plainFolder,
    result:
      "keep: its namespace /run/netns/web-1 is missing, but no namespace is mounted in /run/netns, which is no mount point",
  },
  {
    name: "the folder is a mount point, and nobody has it",
    mounts: ownMount,
    result: "release: its namespace /run/netns/web-1 is missing and the VF has no network driver",
  },
  {
    name: "another namespace is mounted in the folder, and nobody has it",
    mounts: `${plainFolder}\n27 25 0:4 net:[4026532999] /run/netns/web-2 rw`,
    open: "/dev/null",
    result: "release: its namespace /run/netns/web-1 is missing and the VF has no network driver",
  },
])("a VF without a netdev, of a pod whose namespace is missing, where $name", async (scene) => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 1, userspace: [0] }]);
  const netns = node.addNetns("web-1");
  const config = { cniVersion: "1.0.0", name: "fast", type: "virtfn", deviceID: device(0), vlan: 7 };
  const before = node.toText().replace(`\n${netns}`, "");
  expect(await callCni(node.host, config, { netns })).toMatchObject({ exitCode: 0 });
  fs.writeFileSync(join(node.root, "proc/1/mountinfo"), `${scene.mounts}\n`);
  node.removeNetns("web-1");
  const group = basename(
    node.host.files.readLink(`${node.host.paths.sys}/bus/pci/devices/${device(0)}/iommu_group`) ?? "",
  );
  if (scene.open !== undefined) {
    fs.mkdirSync(join(node.root, "proc/4711/fd"), { recursive: true });
    fs.symlinkSync(scene.open.replace("GROUP", group), join(node.root, "proc/4711/fd/5"));
  }
  expect(await repair(node.host)).toBe(`${device(0)} ${scene.result.replace("GROUP", group)}`);
  expect(node.toText() === before).toBe(scene.result.startsWith("release"));
});

test("a VF that the kernel is still bringing back is waited for, by being left alone", async () => {
  using node = createFakeHost();
  const before = node.toText();
  await add(node, 1);
  node.removeNetns("web-1", 700);
  expect(await repair(node.host)).toContain("keep: ");
  await node.host.clock.sleep(800);
  expect(await repair(node.host)).toContain("release: ");
  expect(node.toText()).toBe(before);
});

test.each<[string, (node: FakeHost) => void]>([
  [
    "/run/netns is not mounted",
    (node) => {
      fs.rmSync(join(node.root, "run/netns"), { recursive: true });
    },
  ],
  [
    "it runs in another mount namespace",
    (node) => {
      fs.rmSync(join(node.root, "proc/self/ns/mnt"));
      fs.symlinkSync("mnt:[4026532999]", join(node.root, "proc/self/ns/mnt"));
    },
  ],
  [
    "it runs in another network namespace",
    (node) => {
      fs.symlinkSync("net:[4026532999]", join(node.root, "proc/self/ns/net"));
      fs.symlinkSync("net:[4026531840]", join(node.root, "proc/1/ns/net"));
    },
  ],
])("nothing is changed where %s", async (_, hide) => {
  using node = createFakeHost();
  await add(node, 1);
  node.removeNetns("web-1");
  hide(node);
  const before = node.toText();
  expect(await repair(node.host)).toMatch(/keep: .*unknown/);
  expect(node.toText()).toBe(before);
});

test("a kubelet that is down, or knows nothing of the pod, changes nothing", async () => {
  using node = createFakeHost();
  await add(node, 1);
  const before = node.toText();
  fs.rmSync(node.host.paths.kubelet.checkpoint, { force: true });
  expect(await repair(node.host)).toContain("keep: ");
  node.allocate("uid-another", { app: [device(0)] });
  expect(await repair(node.host)).toContain("keep: ");
  expect(node.toText()).toBe(before);
});

test("a record of another format goes by its owner, and what tells nobody by where the VF is", async () => {
  using node = createFakeHost();
  for (const pod of [1, 2, 3, 4]) await add(node, pod);
  for (const vf of [0, 1]) rewrite(node, vf, { format: "2.0", original: "something new" });
  for (const vf of [2, 3]) fs.writeFileSync(recordPath(node, vf), "");
  for (const pod of [2, 4]) node.removeNetns(`web-${pod}`);
  const result = await repair(node.host);
  expect(result.replaceAll(node.root, "")).toMatchInlineSnapshot(`
    "0000:3b:02.0 keep: its namespace /run/netns/web-1 exists
    0000:3b:02.1 reset: its namespace /run/netns/web-2 is missing and the VF is on the host as net1
    0000:3b:02.2 keep: whose it is cannot be told: reading the record /var/lib/virtfn/attachments/0000:3b:02.2.json: the file is empty; its interface is not on the host; if no pod has it, delete that file
    0000:3b:02.3 reset: reading the record /var/lib/virtfn/attachments/0000:3b:02.3.json: the file is empty"
  `);
  expect(fs.readdirSync(node.host.paths.attachments).toSorted()).toEqual([
    `${device(0)}.json`,
    `${device(2)}.json`,
  ]);
  expect(fs.readdirSync(node.host.paths.quarantine)).toHaveLength(4);
  expect([...node.ipam.leases.keys()]).not.toContain("blue c2 net1");
});

test("steps come in PCI order, whether or not a record can be read", async () => {
  using node = createFakeHost();
  for (const pod of [1, 2, 3, 4]) await add(node, pod);
  fs.writeFileSync(recordPath(node, 1), "");
  rewrite(node, 2, { format: "2.0" });
  expect(plan(node.host).map(({ address }) => address)).toEqual([0, 1, 2, 3].map(device));
});

test("a lock that is held and a delegate that fails stop none of the others, and are told", async () => {
  using node = createFakeHost();
  for (const pod of [1, 2, 3]) await add(node, pod);
  for (const pod of [1, 2, 3]) node.removeNetns(`web-${pod}`);
  const exec: Host["exec"] = {
    run: async (request) =>
      request.env["CNI_CONTAINERID"] === "c2"
        ? { exitCode: 1, stdout: "", stderr: "no disk" }
        : await node.host.exec.run(request),
  };
  const lock = await node.host.locks.acquire(device(0));
  expect(await repair({ ...node.host, exec })).toMatch(
    /ERR_LOCK_TIMEOUT\n.*ERR_RELEASE\n.*02\.2 release: its/,
  );
  lock[Symbol.dispose]();
  expect(await repair(node.host)).toMatch(/02\.0 release: its.*\n.*02\.1 release: its/);
  expect(fs.readdirSync(node.host.paths.attachments)).toEqual([]);
});

test("a pod that took the VF between plan and repair keeps it", async () => {
  using node = createFakeHost();
  await add(node, 1);
  node.removeNetns("web-1");
  const steps = plan(node.host);
  await repair(node.host);
  await add(node, 1);
  const before = node.toText();
  expect(await repair(node.host, steps)).toContain("keep: ");
  expect(node.toText()).toBe(before);
});

test("all processes are looked through once for the plan, however many VFs they may have, and anew before one is given back", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 3, userspace: [0, 1, 2] }]);
  for (const vf of [0, 1, 2]) {
    const netns = node.addNetns(`web-${vf}`);
    const config = { cniVersion: "1.0.0", name: "fast", type: "virtfn", deviceID: device(vf) };
    const call = { netns, containerId: `c${vf}`, args: podArgs(`web-${vf}`) };
    expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
    node.removeNetns(`web-${vf}`);
  }
  fs.writeFileSync(join(node.root, "proc/1/mountinfo"), `${ownMount}\n`);
  const fds = join(node.root, "proc/4711/fd");
  fs.mkdirSync(fds, { recursive: true });
  fs.symlinkSync("/dev/null", join(fds, "0"));
  let looks = 0;
  const list: Host["files"]["list"] = (path) => {
    if (path === fds) looks += 1;
    return node.host.files.list(path);
  };
  const host = { ...node.host, files: { ...node.host.files, list } };
  const steps = plan(host);
  expect(steps.map(({ action }) => action)).toEqual(["release", "release", "release"]);
  expect(looks).toBe(1);
  const group = node.host.files.readLink(`${host.paths.sys}/bus/pci/devices/${device(1)}/iommu_group`);
  fs.symlinkSync(`/dev/vfio/${basename(group ?? "")}`, join(fds, "5"));
  const kept = "0000:3b:02.1 keep: .*process 4711 has .* open";
  expect(await repair(host, steps)).toMatch(
    new RegExp(`^0000:3b:02.0 release: .*\\n${kept}\\n0000:3b:02.2 release: `),
  );
});
