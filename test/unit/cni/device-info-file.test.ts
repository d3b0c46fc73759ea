// The device-info file that Multus names: written for the attachment, gone with it, and nobody else's.

import { expect, test } from "vitest";

import { callCni, podArgs, type TestCall } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const folder = "/var/run/k8s.cni.cncf.io/devinfo/cni";
const name = "default-blue-c1_net1";
const vf = "0000:3b:02.1";
const config = { cniVersion: "1.1.0", name: "blue", type: "virtfn", deviceID: vf };
const info = {
  type: "pci",
  version: "1.1.0",
  pci: { "pci-address": vf, "pf-pci-address": "0000:3b:00.0" },
};

function withFile(path: unknown, key = "CNIDeviceInfoFile"): object {
  return { ...config, runtimeConfig: { [key]: path } };
}

async function call(
  node: FakeHost,
  command: string,
  given: object,
  more: TestCall = {},
): ReturnType<typeof callCni> {
  return callCni(node.host, given, { command, ...more });
}

function readFile(node: FakeHost, file = name): unknown {
  const text = node.host.files.readText(`${node.root}${folder}/${file}`);
  return text === undefined ? undefined : JSON.parse(text);
}

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  node.addNetns("web-2");
  return node;
}

test.each([
  ["the name of /var/run", `${folder}/${name}`, "CNIDeviceInfoFile"],
  ["the name of /run", `${folder.replace("/var", "")}/${name}`, "CNIDeviceInfoFile"],
  ["another case of the key", `${folder}/${name}`, "cniDeviceInfoFile"],
])("ADD writes it, readable for all, and DEL removes it: %s", async (_title, path, key) => {
  using node = makeNode();
  const given = withFile(path, key);
  expect(await call(node, "ADD", given)).toMatchObject({ exitCode: 0 });
  expect(readFile(node)).toEqual(info);
  expect(node.host.files.stat(`${node.root}${folder}/${name}`)?.mode).toBe(0o444);
  expect(await call(node, "DEL", given)).toMatchObject({ exitCode: 0 });
  expect(await call(node, "DEL", given)).toMatchObject({ exitCode: 0 });
  expect(readFile(node)).toBeUndefined();
});

const copied = { type: "pci", version: "1.1.0", pci: { "pci-address": vf, "vhost-net": "/dev/vhost-net" } };

test.each<[string, string, unknown]>([
  ["of this VF is kept", JSON.stringify(copied), copied],
  [
    "of another VF is replaced",
    JSON.stringify({ ...copied, pci: { ...copied.pci, "pci-address": "0000:3b:02.2" } }),
    info,
  ],
  ["that is none is replaced", "{", info],
])("a file from before ADD %s", async (_title, text, expected) => {
  using node = makeNode();
  node.host.files.writeAtomic(`${node.root}${folder}/${name}`, text, 0o444);
  expect(await call(node, "ADD", withFile(`${folder}/${name}`))).toMatchObject({ exitCode: 0 });
  expect(readFile(node)).toEqual(expected);
});

test.each([
  ["out of the folder", `${folder}/../${name}`],
  ["another folder", `/etc/cron.d/x-c1_net1`],
  ["a folder below", `${folder}/sub/${name}`],
  ["the folder itself", `${folder}/`],
  ["a hidden file", `${folder}/.${name}`],
  ["another container's", `${folder}/default-blue-c2_net1`],
  ["another interface's", `${folder}/default-blue-c1_net2`],
  ["a zero byte", `${folder}/a\0${name}`],
  ["a relative path", name],
  ["a number", 7],
])("a path that is %s: ADD refuses and changes nothing, DEL passes it over", async (_title, path) => {
  using node = makeNode();
  node.host.files.writeAtomic(`${node.root}${folder}/default-blue-c2_net1`, "theirs");
  const before = node.toText();
  const answer = await call(node, "ADD", withFile(path));
  expect(answer.json).toMatchObject({ code: 7 });
  expect(answer.json?.["msg"]).toMatch(
    /runtimeConfig\.CNIDeviceInfoFile: expected a file of this attachment/,
  );
  expect(await call(node, "DEL", withFile(path))).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});

test("a link in its place is replaced, never followed", async () => {
  using node = makeNode();
  const { symlinkSync } = await import("node:fs");
  const victim = `${node.root}/etc/victim`;
  node.host.files.writeAtomic(victim, "mine");
  node.host.files.makeFolder(`${node.root}${folder}`);
  symlinkSync(victim, `${node.root}${folder}/${name}`);
  expect(await call(node, "ADD", withFile(`${folder}/${name}`))).toMatchObject({ exitCode: 0 });
  expect([readFile(node), node.host.files.readText(victim)]).toEqual([info, "mine"]);
  expect(await call(node, "DEL", withFile(`${folder}/${name}`))).toMatchObject({ exitCode: 0 });
  expect([readFile(node), node.host.files.readText(victim)]).toEqual([undefined, "mine"]);
});

test("a folder that cannot be made is an error that leaves nothing", async () => {
  using node = makeNode();
  node.host.files.writeAtomic(`${node.root}/run/k8s.cni.cncf.io`, "in the way");
  const before = node.toText();
  const answer = await call(node, "ADD", withFile(`${folder}/${name}`));
  expect(answer.json?.["msg"]).toMatch(/step "device info": .*k8s\.cni\.cncf\.io/);
  expect(node.toText()).toBe(before);
});

test("the DEL of an old sandbox leaves the file of the pod that has the VF now", async () => {
  using node = makeNode();
  expect(await call(node, "ADD", withFile(`${folder}/${name}`))).toMatchObject({ exitCode: 0 });
  const late = { containerId: "c0", netns: "/run/netns/web-2", args: podArgs("web-2") };
  const given = withFile(`${folder}/default-blue-c0_net1`);
  expect(await call(node, "DEL", given, late)).toMatchObject({ exitCode: 0 });
  expect(readFile(node)).toEqual(info);
});

test.each(["lost", "of another format"])("DEL removes it when the record is %s", async (how) => {
  using node = makeNode();
  const given = withFile(`${folder}/${name}`);
  expect(await call(node, "ADD", given)).toMatchObject({ exitCode: 0 });
  const record = `${node.host.paths.attachments}/${vf}.json`;
  const { format: _old, ...rest } = JSON.parse(node.host.files.readText(record) ?? "") as { format: string };
  if (how === "lost") node.host.files.remove(record);
  else node.host.files.writeAtomic(record, JSON.stringify({ format: "2.0", ...rest }));
  expect(await call(node, "DEL", how === "lost" ? given : config)).toMatchObject({ exitCode: 0 });
  expect(readFile(node)).toBeUndefined();
});

test("chained, the file would be another plugin's interface: there is none", async () => {
  using node = makeNode();
  node.allocate("uid-web-1", { app: [vf] });
  const prevResult = { cniVersion: "1.1.0", interfaces: [{ name: "eth0" }] };
  const runtimeConfig = { CNIDeviceInfoFile: `${folder}/cluster-c1_eth0` };
  const chained = { cniVersion: "1.1.0", name: "cluster", type: "virtfn", prevResult, runtimeConfig };
  expect(await call(node, "ADD", chained, { ifName: "eth0" })).toMatchObject({ exitCode: 0 });
  expect(readFile(node, "cluster-c1_eth0")).toBeUndefined();
});
