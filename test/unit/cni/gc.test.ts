// GC: what the runtime does not list is given back, with its lease; everything else stays.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }], ips: [] };
const network = (name: string): object => ({ cniVersion: "1.1.0", name, type: "virtfn", vlan: 7, ipam });
const done = { exitCode: 0, json: undefined };
const listKey = "cni.dev/valid-attachments";

interface Listed {
  readonly containerID: string;
  readonly ifname: string;
}

/** Pod web-N, container cN, has VF N - 1, chained, as eth0 of network `name`. */
async function add(node: FakeHost, pod: number, name: string, vfs = [pod - 1]): Promise<void> {
  const netns = node.addNetns(`web-${pod}`);
  node.allocate(`uid-web-${pod}`, { app: vfs.map((vf) => `0000:3b:02.${vf}`) });
  const call = { containerId: `c${pod}`, netns, ifName: "eth0", args: podArgs(`web-${pod}`) };
  expect(await callCni(node.host, { ...network(name), prevResult }, call)).toMatchObject({ exitCode: 0 });
}

async function collect(host: Host, name: string, list: unknown, more: object = {}): Promise<TestAnswer> {
  const call = { command: "GC", containerId: "", netns: "", ifName: "", args: "" };
  return callCni(host, { ...network(name), [listKey]: list, ...more }, call);
}

const pod = (number: number): Listed => ({ containerID: `c${number}`, ifname: "eth0" });

function listHolders(node: FakeHost): readonly string[] {
  return node
    .toText()
    .split("\n")
    .filter((line) => /^(?:attachments|lease|quarantine)/.test(line));
}

const recordPath = (node: FakeHost, vf: number): string =>
  `${node.host.paths.attachments}/0000:3b:02.${vf}.json`;

test("two networks, chained pods with net1, GC of one: all live pods keep VFs and leases", async () => {
  using node = createFakeHost();
  await add(node, 1, "blue", [0, 1]);
  await add(node, 3, "red");
  const before = node.toText();
  await add(node, 4, "blue");
  expect(await collect(node.host, "blue", [pod(1)])).toMatchObject(done);
  expect(node.toText()).toBe(before.replace(/\nattachments/, "\n/run/netns/web-4\nattachments"));
  const forwarded = JSON.parse(node.ipam.calls.at(-1)?.stdin ?? "") as Readonly<Record<string, unknown>>;
  const list = [pod(1), { containerID: "c1", ifname: "net1" }, { containerID: "c1", ifname: "net2" }];
  expect(forwarded).toMatchObject({ name: "blue", [listKey]: list, "cni.dev/attachments": list });
  expect(node.ipam.calls.at(-1)?.env["CNI_COMMAND"]).toBe("GC");
});

test("a mistake in the configuration is told, and keeps nothing from being given back", async () => {
  using node = createFakeHost();
  await add(node, 1, "blue");
  const before = node.toText();
  await add(node, 2, "blue");
  const { json } = await collect(node.host, "blue", [pod(1)], { vlanQs: 1 });
  expect(json).toMatchObject({ code: 7, msg: expect.stringContaining("did you mean vlanQoS?") as string });
  expect(node.toText()).toBe(before.replace(/\nattachments/, "\n/run/netns/web-2\nattachments"));
});

test("of pods that ended without DEL everything comes back, also while a namespace is still being taken down", async () => {
  using node = createFakeHost();
  const before = node.toText();
  for (const number of [1, 2]) await add(node, number, "blue");
  node.removeNetns("web-1");
  node.removeNetns("web-2", 700);
  expect(await collect(node.host, "blue", null)).toMatchObject(done);
  expect(node.toText()).toBe(before);
});

test("the list may have the name that the spec's draft gave it; without any nothing is touched", async () => {
  using node = createFakeHost();
  await add(node, 1, "blue");
  const before = node.toText();
  const wrong = [undefined, [{ containerID: "c1" }], "c1", [null]];
  for (const list of wrong)
    expect((await collect(node.host, "blue", list)).json).toMatchObject({
      code: 7,
      msg: expect.stringContaining(listKey) as string,
    });
  const draft = { "cni.dev/attachments": [pod(1)] };
  expect(await collect(node.host, "blue", undefined, draft)).toMatchObject(done);
  expect(await collect(node.host, "blue", [], draft)).toMatchObject(done);
  expect(node.toText()).toBe(before);
  expect(await collect(node.host, "blue", undefined, { "cni.dev/attachments": [] })).toMatchObject(done);
  expect(listHolders(node)).toEqual([]);
});

test("one that cannot be given back does not stop the others; all failures are told", async () => {
  using node = createFakeHost();
  for (const number of [1, 2, 3]) await add(node, number, "blue");
  const asked: unknown[] = [];
  const exec: Host["exec"] = {
    run: async (request) => {
      asked.push(request.env["CNI_COMMAND"]);
      const isBroken = ["c1", "c3"].includes(request.env["CNI_CONTAINERID"] ?? "");
      if (isBroken)
        return { exitCode: 1, stdout: "", stderr: `no disk for ${request.env["CNI_CONTAINERID"]}` };
      return node.host.exec.run(request);
    },
  };
  const { json } = await collect({ ...node.host, exec }, "blue", []);
  expect(json).toMatchObject({
    code: 104,
    msg: expect.stringMatching(/no disk for c1.*no disk for c3/) as string,
  });
  expect(listHolders(node)).toHaveLength(4);
  // The plugin still has to keep what could not be given back.
  expect(asked).toEqual(["DEL", "DEL", "DEL", "GC"]);
  expect(await collect(node.host, "blue", [])).toMatchObject(done);
  expect(listHolders(node)).toEqual([]);
});

test("a VF that its pod put into a third namespace comes home from there", async () => {
  using node = createFakeHost();
  node.addNetns("third");
  const before = node.toText();
  await add(node, 1, "blue");
  using from = node.host.namespaces.open("/run/netns/web-1");
  using third = node.host.namespaces.open("/run/netns/third");
  using inside = node.host.openNetlink(from);
  if (third === undefined) throw new Error("there is no third namespace");
  inside.moveLink(inside.getLink({ name: "net1" })?.index ?? 0, third);
  expect(await collect(node.host, "blue", [])).toMatchObject(done);
  node.removeNetns("web-1");
  expect(node.toText()).toBe(before);
});

test("a VF that somebody works on is error 11, after the others were freed", async () => {
  using node = createFakeHost();
  for (const number of [1, 2]) await add(node, number, "blue");
  using _lock = await node.host.locks.acquire("0000:3b:02.0");
  expect((await collect(node.host, "blue", [])).json).toMatchObject({ code: 11 });
  expect(listHolders(node)).toEqual(["attachments 0000:3b:02.0.json", expect.stringContaining("c1 net1")]);
});

test("a delegate that knows no GC is no failure, one that fails is", async () => {
  using node = createFakeHost();
  const answering = (code: number): Host => ({
    ...node.host,
    exec: { run: async () => ({ exitCode: 1, stdout: JSON.stringify({ code, msg: "hm" }), stderr: "" }) },
  });
  for (const code of [1, 4]) expect(await collect(answering(code), "blue", [])).toMatchObject(done);
  expect((await collect(answering(999), "blue", [])).json).toMatchObject({ code: 104 });
});

const newer = (node: FakeHost, vf: number, change: object = {}): void => {
  const record = JSON.parse(node.host.files.readText(recordPath(node, vf)) ?? "") as object;
  node.host.files.writeAtomic(recordPath(node, vf), JSON.stringify({ ...record, format: "2.0", ...change }));
};

test("records of another format: whoever is not listed goes home by the live state, the others stay", async () => {
  using node = createFakeHost();
  for (const number of [1, 2]) await add(node, number, "blue");
  await add(node, 3, "red");
  for (const vf of [0, 1, 2]) newer(node, vf, { original: "something new" });
  expect(await collect(node.host, "blue", [pod(2)])).toMatchObject(done);
  expect(listHolders(node)).toEqual([
    "attachments 0000:3b:02.1.json",
    "attachments 0000:3b:02.2.json",
    expect.stringMatching(/^quarantine 0000:3b:02\.0\.\d+\.json$/) as string,
    expect.stringMatching(/^quarantine 0000:3b:02\.0\.\d+\.json\.reason$/) as string,
    "lease blue c2 net1 192.0.2.3/24",
    "lease red c3 net1 192.0.2.4/24",
  ]);
  expect(node.toText()).toContain("ens1f0v0 0000:3b:02.0 mac 02:00:00:00:00:00 mtu 1500 down");
  expect(node.toText()).toContain("vf 0 mac 02:00:00:00:00:00 vlan 0 qos 0");
  expect(node.toText()).toContain("vf 1 mac 02:00:00:00:00:01 vlan 7 qos 0");
});

test("a record that tells nothing goes when its VF is on the host, and stays while a namespace has it", async () => {
  using node = createFakeHost();
  for (const number of [1, 2]) await add(node, number, "blue");
  for (const vf of [0, 1]) node.host.files.writeAtomic(recordPath(node, vf), "");
  node.removeNetns("web-1");
  const calls = node.ipam.calls.length;
  expect(await collect(node.host, "blue", [])).toMatchObject(done);
  expect(node.host.files.list(node.host.paths.attachments)).toEqual(["0000:3b:02.1.json"]);
  // Whose leases are in use is not known then: the delegate is not told to free any.
  expect(node.ipam.calls.length).toBe(calls);
});
