// Way 4, a PF instead of a device: which VF is picked, never which, and what a pod is told when none is free.

import * as fs from "node:fs";
import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { writeAdvertisedPools } from "../../../sriov/advertised-pools.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost, type FakePf } from "../../support/fake-host.ts";
import { withReportedVfs } from "../../support/unreported-vfs.ts";

const config = {
  cniVersion: "1.0.0",
  name: "lan",
  type: "virtfn",
  pf: "ens1f0",
  ips: ["192.0.2.50/24"],
  gateway: "192.0.2.1",
  routes: [{ dst: "0.0.0.0/0" }],
};

function makeNode(pf: Partial<FakePf> = {}, nodeConfig = "pfs:\n  - name: ens1f0\n"): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 4, ...pf }]);
  node.addNetns("web-1");
  node.host.files.writeAtomic(node.host.paths.nodeConfig, nodeConfig);
  return node;
}

async function add(node: Pick<FakeHost, "host">, pod = "web-1", more: object = {}): Promise<TestAnswer> {
  const call = { containerId: `c-${pod}`, netns: `/run/netns/${pod}`, args: podArgs(pod) };
  return callCni(node.host, { ...config, ...more }, call);
}

async function remove(node: FakeHost, pod = "web-1", call: object = {}): Promise<TestAnswer> {
  return callCni(node.host, config, {
    command: "DEL",
    containerId: `c-${pod}`,
    netns: `/run/netns/${pod}`,
    args: podArgs(pod),
    ...call,
  });
}

function pickedOf(answer: TestAnswer): unknown {
  return (answer.json?.["interfaces"] as readonly { readonly pciID: string }[] | undefined)?.[0]?.pciID;
}

test("a pod gets an unused VF with a floating address and routes, and DEL gives it back", async () => {
  using node = makeNode();
  const before = node.toText();
  const answer = await add(node);
  expect(answer.json).toMatchObject({
    interfaces: [{ name: "net1", pciID: "0000:3b:02.0", sandbox: "/run/netns/web-1" }],
    ips: [{ address: "192.0.2.50/24", gateway: "192.0.2.1", interface: 0 }],
    routes: [{ dst: "0.0.0.0/0" }],
  });
  const path = `${node.host.paths.attachments}/0000:3b:02.0.json`;
  expect(JSON.parse(node.host.files.readText(path) ?? "")).toMatchObject({
    pickedBy: "cni",
    state: "attached",
  });
  expect(node.locks.held.size).toBe(0);
  expect(await remove(node)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
  expect(await remove(node, "web-1", { netns: "" })).toMatchObject({ exitCode: 0 });
});

test("a VF that its PF leaves out of those that it reports is picked last, so that one that is broken keeps no pod from starting", async () => {
  using node = makeNode({ vfs: 2 });
  node.addNetns("web-2");
  const host = withReportedVfs(node.host, (info) => (info.vf === 0 ? undefined : info));
  expect(pickedOf(await add({ host }))).toBe("0000:3b:02.1");
  expect((await add({ host }, "web-2")).json?.["msg"]).toMatch(
    /^ERR_VF_MISSING: .*the PF 0000:3b:00\.0 does not report its VF 0 /,
  );
  // A PF that reports none, as virtio's, has VFs like any other.
  const silent = withReportedVfs(node.host, () => undefined);
  expect(pickedOf(await add({ host: silent }, "web-2"))).toBe("0000:3b:02.0");
});

test("a PF that node.yaml does not name is refused, and so is every PF without that file", async () => {
  using node = makeNode({}, "pfs:\n  - name: ens9f9\n");
  const before = node.toText();
  expect((await add(node)).json).toMatchObject({
    code: 7,
    msg: expect.stringMatching(
      /^ERR_PF_NOT_ALLOWED: .*refusing to take a VF of ens1f0: .* names ens9f9$/,
    ) as string,
  });
  fs.rmSync(node.host.paths.nodeConfig);
  expect((await add(node)).json).toMatchObject({
    code: 7,
    msg: expect.stringContaining("names none") as string,
  });
  expect(node.toText()).toBe(before);
});

test("a PF beside a device, or beside networks, is no configuration", async () => {
  using node = makeNode();
  for (const more of [
    { deviceID: "0000:3b:02.1" },
    { ips: [], gateway: undefined, routes: [], networks: [{}] },
  ])
    expect((await add(node, "web-1", more)).json).toMatchObject({
      code: 7,
      msg: expect.stringContaining("pf: expected nothing beside a device or networks") as string,
    });
});

test("a PF that is not there is named", async () => {
  using node = makeNode({}, "pfs:\n  - name: eth0\n  - name: ens7f0\n");
  expect((await add(node, "web-1", { pf: "ens7f0" })).json).toMatchObject({
    code: 103,
    msg: expect.stringContaining("there is no PF ens7f0 on this node") as string,
  });
  expect((await add(node, "web-1", { pf: "eth0" })).json).toMatchObject({ code: 103 });
});

test("never one that the device plugin offers, or that the kubelet has registered or given away", async () => {
  using node = makeNode();
  writeAdvertisedPools(node.host, new Map([["sriov/vf", ["0000:3b:02.0"]]]));
  fs.mkdirSync(`${node.root}/var/lib/kubelet/device-plugins`, { recursive: true });
  const checkpoint = {
    PodDeviceEntries: [
      {
        PodUID: "u",
        ContainerName: "app",
        ResourceName: "sriov/old",
        DeviceIDs: { "-1": ["0000:3b:02.2"] },
        AllocResp: "",
      },
    ],
    RegisteredDevices: { "sriov/lan": ["0000:3b:02.1"] },
  };
  fs.writeFileSync(node.host.paths.kubelet.checkpoint, JSON.stringify({ Data: checkpoint, Checksum: 1 }));
  expect(pickedOf(await add(node))).toBe("0000:3b:02.3");
  node.addNetns("web-2");
  const before = node.toText();
  expect((await add(node, "web-2")).json).toMatchObject({
    code: 11,
    msg: expect.stringMatching(
      /no VF of ens1f0 is free for pod shop\/web-2 as net1: 0000:3b:02\.0: the device plugin offers it as sriov\/vf; 0000:3b:02\.1: the kubelet hands it out as sriov\/lan; 0000:3b:02\.2: the kubelet gave it to a pod as sriov\/old; 0000:3b:02\.3: attached to pod shop\/web-1, container c-web-1 as net1 since 2026/,
    ) as string,
  });
  expect(node.toText()).toBe(before);
});

test("never one that the node lives on, that has no network driver, or that is in another namespace", async () => {
  using node = makeNode({ userspace: [2] });
  using outside = node.host.openNetlink();
  const index = outside.getLink({ name: "ens1f0v0" })?.index ?? 0;
  outside.setLink(index, { set: "up", value: true });
  outside.addAddress(index, { family: 4, address: "198.51.100.9", prefixLength: 24 });
  using other = node.host.namespaces.open(node.addNetns("other"));
  if (other === undefined) throw new Error("no namespace");
  outside.moveLink(outside.getLink({ name: "ens1f0v1" })?.index ?? 0, other);
  expect(pickedOf(await add(node))).toBe("0000:3b:02.3");
  node.addNetns("web-2");
  const refused = (await add(node, "web-2")).json?.["msg"];
  expect(refused).toContain("0000:3b:02.0: the node itself uses it (address 198.51.100.9/24 on ens1f0v0)");
  expect(refused).toContain("0000:3b:02.1: it is in the namespace /run/netns/other as ens1f0v1");
  expect(refused).toContain("0000:3b:02.2: it has the driver vfio-pci");
});

test("a VF of a pod that is gone is put back and picked, but one that was never used sooner", async () => {
  using node = makeNode({ vfs: 2 });
  await add(node, "web-1", { mac: "02:00:00:00:aa:01" });
  node.removeNetns("web-1");
  for (const pod of ["web-2", "web-3"]) node.addNetns(pod);
  expect(pickedOf(await add(node, "web-2"))).toBe("0000:3b:02.1");
  expect(pickedOf(await add(node, "web-3"))).toBe("0000:3b:02.0");
});

test("a VF that another process works on is passed over, and named when it was the last", async () => {
  using node = makeNode({ vfs: 2 });
  using _first = await node.host.locks.acquire("0000:3b:02.0");
  expect(pickedOf(await add(node))).toBe("0000:3b:02.1");
  node.addNetns("web-2");
  expect((await add(node, "web-2")).json?.["msg"]).toContain("0000:3b:02.0: process 4711 works on it");
});

test("chained, the VF is net1 beside the interface of the plugin before", async () => {
  using node = makeNode();
  const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [] };
  const answer = await callCni(node.host, { ...config, prevResult }, { ifName: "eth0" });
  expect(answer.json).toMatchObject({ interfaces: [{ name: "eth0" }, { name: "net1" }] });
});

test("DEL with the record lost finds the VF in the pod, and releases the lease", async () => {
  using node = makeNode();
  const wanted = { ...config, ips: [], gateway: undefined, ipam: { type: "host-local" } };
  await callCni(node.host, wanted);
  fs.rmSync(`${node.host.paths.attachments}/0000:3b:02.0.json`);
  expect(node.ipam.leases.size).toBe(1);
  expect(await callCni(node.host, wanted, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.ipam.leases.size).toBe(0);
  expect(node.toText()).toContain("  ens1f0v0 0000:3b:02.0 mac 02:00:00:00:00:00 mtu 1500 down rx-0");
});

test("chained, DEL with the record lost finds net1", async () => {
  using node = makeNode();
  const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [] };
  expect(await callCni(node.host, { ...config, prevResult }, { ifName: "eth0" })).toMatchObject({
    exitCode: 0,
  });
  fs.rmSync(`${node.host.paths.attachments}/0000:3b:02.0.json`);
  const call = { ifName: "eth0", command: "DEL" };
  expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toMatch(/\n {2}ens1f0v0 0000:3b:02\.0 /);
});

test("a PF without VFs gets as many as node.yaml says at first use, and keeps them", async () => {
  using node = makeNode({ vfs: 0, isDown: true }, "pfs:\n  - name: ens1f0\n    numVfs: 2\n");
  for (const pod of ["web-2", "web-3"]) node.addNetns(pod);
  const answers = await Promise.all(["web-1", "web-2", "web-3"].map((pod) => add(node, pod)));
  expect(new Set(answers.map(pickedOf))).toEqual(new Set(["0000:3b:02.0", "0000:3b:02.1", undefined]));
  expect(answers.map(({ json }) => json?.["code"]).filter(Boolean)).toEqual([11]);
  await remove(node);
  expect(node.toText()).toContain("ens1f0 vf 1 ");
});

test("more VFs than the card has is an error with its total, and nothing is made", async () => {
  using node = makeNode({ vfs: 0 }, "pfs:\n  - name: ens1f0\n    numVfs: 9\n");
  expect((await add(node)).json).toMatchObject({
    code: 106,
    msg: expect.stringContaining('step "VFs": making 9 VFs of ens1f0: expected 1 to 8') as string,
  });
  expect(node.toText()).not.toContain("vf 0");
});

test("64 ADDs at once on 7 VFs: 7 pods get one each, 57 are told what holds them", async () => {
  using node = makeNode({ vfs: 7 });
  const pods = Array.from({ length: 64 }, (_, at) => `pod-${at}`);
  for (const pod of pods) node.addNetns(pod);
  const before = node.toText();
  const host = withTurns(node.host);
  const answers = await Promise.all(
    pods.map((pod, at) => add({ host }, pod, { ips: [`192.0.2.${at + 2}/24`] })),
  );
  const given = answers.filter(({ exitCode }) => exitCode === 0);
  expect(new Set(given.map(pickedOf)).size).toBe(7);
  expect(given).toHaveLength(7);
  for (const { json } of answers.filter(({ exitCode }) => exitCode !== 0)) {
    const held =
      /0000:3b:02\.\d: (?:attached to pod shop\/pod-\d+, container c-pod-\d+ as net1|process 4711 works on it)/g;
    expect(json).toMatchObject({ code: 11 });
    expect(String(json?.["msg"]).match(held)).toHaveLength(7);
  }
  expect(node.locks.held.size).toBe(0);
  await Promise.all(pods.map((pod) => remove(node, pod)));
  expect(node.toText()).toBe(before);
});

// Between any two locks of one call the others get on by a different number of turns of the event loop.
function withTurns(host: Host): Host {
  let seed = 7;
  return {
    ...host,
    locks: {
      acquire: async (name, options) => {
        seed = (seed * 48_271) % 2_147_483_647;
        for (let turns = seed % 6; turns > 0; turns -= 1)
          await new Promise<void>((done) => void setImmediate(done));
        return host.locks.acquire(name, options);
      },
    },
  };
}
