// Whom ADD refuses a VF, with which number, and that nothing is changed for it, nor taken back again.

import { expect, test } from "vitest";

import { writeAdvertisedPools } from "../../../sriov/advertised-pools.ts";
import { watchChanges } from "../../support/change-calls.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", vlan: 100 };
const web2 = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  node.addNetns("web-2");
  return node;
}

async function refusal(node: FakeHost, more: object = {}, call: object = {}): Promise<object> {
  const before = node.toText();
  const { host, listChanges } = watchChanges(node.host);
  const { exitCode, json } = await callCni(host, { ...config, ...more }, call);
  return {
    changes: listChanges(),
    exitCode,
    code: json?.["code"],
    msg: json?.["msg"],
    isChanged: node.toText() !== before,
    held: node.locks.held.size,
  };
}

function refused(code: number, words: string): object {
  const msg = expect.stringContaining(words) as string;
  return { changes: [], exitCode: 1, code, msg, isChanged: false, held: 0 };
}

/** What shows only on the way: all that was changed until then is taken back. */
function undone(code: number, words: string): object {
  return { ...refused(code, words), changes: expect.arrayContaining([expect.any(String)]) as unknown };
}

test("a VF of a pod that is alive is error 11, naming pod and container", async () => {
  using node = makeNode();
  await callCni(node.host, config);
  expect(await refusal(node, {}, web2)).toEqual(
    refused(
      11,
      "cannot give 0000:3b:02.1 to pod shop/web-2 as net1: it is attached to pod shop/web-1, container c1 as net1 since 2026-01-01T00:00:00",
    ),
  );
});

test("a VF of a pod whose namespace is gone is put back first, and its lease released", async () => {
  using node = makeNode();
  const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
  await callCni(node.host, { ...config, ipam, mac: "02:00:00:00:aa:01", trust: "on" });
  node.removeNetns("web-1", 300);
  const answer = await callCni(node.host, { ...config, vlan: 200 }, web2);
  expect(answer.exitCode).toBe(0);
  expect(node.ipam.leases.size).toBe(0);
  expect(node.toText()).toContain("vf 1 mac 02:00:00:00:00:01 vlan 200 qos 0 802.1q spoof on trust off");
});

test("a VF of a pod that was admitted is refused also while the kubelet has no registered devices, as after its restart", async () => {
  using node = makeNode();
  node.allocate("uid-other", { app: ["0000:3b:02.1"] });
  const path = node.host.paths.kubelet.checkpoint;
  const checkpoint = JSON.parse(node.host.files.readText(path) ?? "") as { Data: Record<string, unknown> };
  checkpoint.Data["RegisteredDevices"] = {};
  node.host.files.writeAtomic(path, JSON.stringify(checkpoint));
  expect(await refusal(node)).toEqual(
    refused(7, "the kubelet gave it to a pod as sriov/vf, and it was not allocated to that pod"),
  );
});

test("a VF that the device plugin offers is refused also while the kubelet does not know it, as an unhealthy one", async () => {
  using node = makeNode();
  writeAdvertisedPools(node.host, new Map([["sriov/vf", ["0000:3b:02.1"]]]));
  expect(await refusal(node)).toEqual(
    refused(7, "the device plugin offers it as sriov/vf, and it was not allocated to that pod"),
  );
});

test("a VF that the kubelet gave to another pod is error 7", async () => {
  using node = makeNode();
  node.allocate("uid-other", { app: ["0000:3b:02.1"] });
  expect(await refusal(node)).toEqual(
    refused(7, "the kubelet hands it out as sriov/vf, and it was not allocated to that pod"),
  );
  expect(await refusal(node, {}, { args: "" })).toEqual(refused(7, "CNI_ARGS has no K8S_POD_UID"));
});

test("a VF that the kubelet gave to this pod is taken, and the record says who picked it", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: ["0000:3b:02.1"] });
  expect((await callCni(node.host, config)).exitCode).toBe(0);
  const record = JSON.parse(
    node.host.files.readText(`${node.host.paths.attachments}/0000:3b:02.1.json`) ?? "",
  ) as object;
  expect(record).toMatchObject({ pickedBy: "kubelet", state: "attached", announce: "done" });
});

test("a VF that the node lives on is error 7", async () => {
  using node = makeNode();
  using netlink = node.host.openNetlink();
  const index = netlink.getLink({ name: "ens1f0v1" })?.index ?? 0;
  netlink.setLink(index, { set: "up", value: true });
  netlink.addAddress(index, { family: 4, address: "198.51.100.9", prefixLength: 24 });
  expect(await refusal(node)).toEqual(
    refused(7, "the node itself uses it (address 198.51.100.9/24 on ens1f0v1)"),
  );
});

test("a device that is no VF, or has no network driver, is refused", async () => {
  using node = makeNode();
  expect(
    await refusal(node, {
      deviceID: "0000:3b:00.0",
    }),
  ).toEqual(refused(103, "there is no virtual function at 0000:3b:00.0"));
  expect(
    await refusal(node, {
      deviceID: "0000:99:00.0",
    }),
  ).toEqual(refused(103, "there is no virtual function at 0000:99:00.0"));
});

test("a VF in a namespace without a record is error 11 and named", async () => {
  using node = makeNode();
  using netns = node.host.namespaces.open("/run/netns/web-2");
  using netlink = node.host.openNetlink();
  if (netns === undefined) throw new Error("no namespace");
  netlink.moveLink(netlink.getLink({ name: "ens1f0v1" })?.index ?? 0, netns);
  expect(await refusal(node)).toEqual(
    refused(11, "it is in the namespace /run/netns/web-2 as ens1f0v1, and there is no record of it"),
  );
});

test("a namespace that is missing, or the host's own, is error 8", async () => {
  using node = makeNode();
  expect(await refusal(node, {}, { netns: "/run/netns/none" })).toEqual(refused(8, "there is none"));
  for (const override of ["", "1"])
    expect(await refusal(node, {}, { netns: "/proc/1/ns/net", override })).toEqual(
      refused(8, "got the host's own (/proc/1/ns/net), also with CNI_NETNS_OVERRIDE"),
    );
});

test("an interface name that is taken in the pod is refused", async () => {
  using node = makeNode();
  await callCni(node.host, { ...config, deviceID: "0000:3b:02.0" });
  expect(await refusal(node)).toEqual(refused(8, "there is an interface of that name in /run/netns/web-1"));
});

test.each(["net%d", "net%1"])("a name that the kernel takes for a pattern is refused: %j", async (ifName) => {
  using node = makeNode();
  expect(await refusal(node, {}, { ifName })).toEqual(refused(4, `${ifName}: expected a name without %`));
  expect(await callCni(node.host, config, { ifName, command: "DEL" })).toMatchObject({ exitCode: 0 });
});

test.each([
  [
    { link_state: "enable", trust: "on" },
    'step "VF settings": setting link_state enable on ens1f0 vf 1: setting linkState of ens1f0 vf 1: EOPNOTSUPP',
  ],
  [{ vlanProto: "802.1ad" }, "EPROTONOSUPPORT"],
  [{ min_tx_rate: 10 }, "EINVAL"],
])(
  "%j, which the driver refuses, is undone before the VF is moved, and the error names it",
  async (more, words) => {
    using node = makeNode();
    expect(await refusal(node, more)).toEqual(undone(102, words));
    expect(node.kernel.moves).toBe(0);
  },
);

test("an IPAM delegate that fails, is missing, or says 'try again' is reported, and nothing is left", async () => {
  using node = makeNode();
  const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
  node.ipam.failNextAdd({ exitCode: 1, stdout: '{"code":999,"msg":"no addresses left"}', stderr: "" });
  expect(await refusal(node, { ipam })).toEqual(
    undone(104, 'step "IPAM": IPAM ADD by host-local for net1: no addresses left'),
  );
  node.ipam.failNextAdd({ exitCode: 1, stdout: '{"code":11,"msg":"later"}', stderr: "" });
  expect(await refusal(node, { ipam })).toEqual(undone(11, "later"));
  node.ipam.failNextAdd({ exitCode: 0, stdout: "{}}", stderr: "" });
  expect(await refusal(node, { ipam })).toEqual(undone(104, "expected a CNI result"));
  for (const stdout of [
    '{"cniVersion":"1.0.0"}',
    '{"cniVersion":"1.0.0","ips":[],"routes":[{"dst":"0.0.0.0/0"}]}',
  ]) {
    node.ipam.failNextAdd({ exitCode: 0, stdout, stderr: "" });
    expect(await refusal(node, { ipam })).toEqual(undone(104, "expected an address, got none"));
  }
  // The runtime could not read it in our result.
  const ofNoServer = { ipam: { ...ipam, dns: { nameservers: "192.0.2.53" } } };
  expect(await refusal(node, ofNoServer)).toEqual(undone(104, "expected a CNI result"));
  expect(
    await refusal(node, {
      ipam: { type: "dhcp" },
    }),
  ).toEqual(refused(104, "expected an executable dhcp in one of CNI_PATH's folders"));
});

test("a record of another format is left alone and named", async () => {
  using node = makeNode();
  const path = `${node.host.paths.attachments}/0000:3b:02.1.json`;
  node.host.files.writeAtomic(path, '{"format":"9.0"}');
  expect(await refusal(node)).toEqual(
    refused(101, `reading the record ${path}: expected format 1.x, got "9.0"`),
  );
});

test("an empty record is moved aside and the VF given", async () => {
  using node = makeNode();
  node.host.files.writeAtomic(`${node.host.paths.attachments}/0000:3b:02.1.json`, "");
  expect((await callCni(node.host, config)).exitCode).toBe(0);
  expect(node.toText()).toContain("quarantine 0000:3b:02.1.");
});

test("an ADD that fails after it moved an empty record aside leaves the VF as its driver has it", async () => {
  using node = makeNode();
  await callCni(node.host, { ...config, trust: "on" });
  node.removeNetns("web-1");
  node.host.files.writeAtomic(`${node.host.paths.attachments}/0000:3b:02.1.json`, "");
  const delegate = { type: "dhcp" };
  expect((await callCni(node.host, { ...config, ipam: delegate }, web2)).json).toMatchObject({ code: 104 });
  expect(node.toText()).toContain("ens1f0 vf 1 mac 02:00:00:00:00:01 vlan 0 qos 0 802.1q spoof on trust off");
  expect(node.toText()).toMatch(/\n\/run\/netns\/web-2\nquarantine /);
});

test("a VF whose lock stays taken is error 11 after 30 s, naming the holder", async () => {
  using node = makeNode();
  using _held = await node.host.locks.acquire("0000:3b:02.1");
  const beginMs = node.clock.monotonicMs();
  const answer = await callCni(node.host, config);
  const waitedMs = node.clock.monotonicMs() - beginMs;
  expect([waitedMs >= 30_000, waitedMs < 31_000]).toEqual([true, true]);
  expect(answer.json).toMatchObject({
    code: 11,
    msg: expect.stringContaining("process 4711 still holds it") as string,
  });
});

test("an IPAM plugin that refuses ADD, and DEL for the same reason, keeps no record alive", async () => {
  using node = makeNode();
  const ipam = { type: "host-local", subnet: "wrong" };
  expect(await refusal(node, { ipam })).toEqual(undone(104, 'invalid CIDR address: "wrong"'));
  expect(await callCni(node.host, config, web2)).toMatchObject({ exitCode: 0 });
});

const settings = { vlan: 100, trust: "on", spoofchk: "off" };
const ipam = { type: "host-local", subnet: "192.0.2.0/24" };

/** The record of web-1's VF with one value that this release cannot read. */
function damageRecord(node: FakeHost, change: object): void {
  const path = `${node.host.paths.attachments}/0000:3b:02.1.json`;
  const record = JSON.parse(node.host.files.readText(path) ?? "") as object;
  node.host.files.writeAtomic(path, JSON.stringify({ ...record, ...change }));
}

test("a damaged record of a pod that is gone: the next pod gets nothing of its settings, and its lease is released", async () => {
  using node = makeNode();
  await callCni(node.host, { ...config, ...settings, ipam });
  damageRecord(node, { announce: "failed" });
  node.removeNetns("web-1");
  const { vlan: _none, ...plain } = config;
  expect((await callCni(node.host, plain, web2)).exitCode).toBe(0);
  expect(node.ipam.leases.size).toBe(0);
  expect(node.toText()).toContain("vlan 0 qos 0 802.1q spoof on trust off");
});

test("a damaged record of a pod that is alive stays where it is, and its VF is error 11", async () => {
  using node = makeNode();
  await callCni(node.host, { ...config, ...settings, ipam });
  damageRecord(node, { announce: "failed" });
  expect(await refusal(node, {}, web2)).toEqual(
    refused(11, "cannot give 0000:3b:02.1 to pod shop/web-2 as net1: its namespace /run/netns/web-1 exists"),
  );
});

test("a record of a newer minor that cannot be read is another format: refused, naming the file", async () => {
  using node = makeNode();
  await callCni(node.host, config);
  damageRecord(node, { format: "1.9", announce: "failed" });
  node.removeNetns("web-1");
  expect(await refusal(node, {}, web2)).toEqual(refused(101, "0000:3b:02.1.json: expected format 1.0"));
});
