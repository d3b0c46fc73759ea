// What a call logs: one line for ADD and DEL of a VF with the time of each step, nothing else on stdout, the log file on the side.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1", vlan: 100 };

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  fs.mkdirSync(join(node.root, "var/log"), { recursive: true });
  return node;
}

function readLog(node: FakeHost, name = "virtfn.log"): string {
  return fs.readFileSync(join(node.root, "var/log", name), "utf8");
}

test("ADD and DEL say one line each, with the milliseconds of their steps", async () => {
  using node = makeNode();
  const added = await callCni(node.host, config);
  const deleted = await callCni(node.host, config, { command: "DEL" });
  const who = "containerId=c1 attachment=net1 network=blue namespace=shop pod=web-1";
  expect(added.stderr).toMatch(
    new RegExp(
      `^time=2026-\\S+ level=info msg="ADD done" ${who} ms=[\\d.]+ steps="earlier boots [\\d.]+ ms, .*move [\\d.]+ ms.*"$`,
    ),
  );
  expect(deleted.stderr).toMatch(
    new RegExp(`^time=2026-\\S+ level=info msg="DEL done" ${who} ms=[\\d.]+ steps=".*release [\\d.]+ ms"$`),
  );
  const names = [...added.stderr.matchAll(/([a-z ]+) [\d.]+ ms/gi)].map(([, name]) => name?.trim());
  expect(new Set(names).size).toBe(names.length);
});

test("a failed ADD is one line, too, with its error", async () => {
  using node = makeNode();
  const answer = await callCni(node.host, { ...config, deviceID: "0000:3b:05.1" });
  expect(answer.exitCode).toBe(1);
  expect(answer.stderr).toMatch(/^time=\S+ level=error msg="ADD failed" .* error="ERR_[A-Z_]+: .*" ms=/);
  expect(answer.stderr.split("\n")).toHaveLength(1);
});

test.each([
  ["panic", 0],
  ["error", 0],
  ["warning", 0],
  ["info", 1],
  ["debug", 2],
  ["verbose", 2],
])("logLevel %s: %d lines", async (logLevel, count) => {
  using node = makeNode();
  const { stderr } = await callCni(node.host, { ...config, logLevel });
  expect(stderr === "" ? 0 : stderr.split("\n").length).toBe(count);
});

test("a pod without VF says nothing below debug", async () => {
  using node = makeNode();
  node.allocate("uid-other", { app: ["0000:3b:02.2"] });
  const { deviceID: _none, ...chained } = { ...config, prevResult: {} };
  expect(await callCni(node.host, chained)).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await callCni(node.host, chained, { command: "DEL" })).toMatchObject({ exitCode: 0, stderr: "" });
  const { stderr } = await callCni(node.host, { ...chained, logLevel: "debug" });
  expect(stderr).toContain('level=debug msg="ADD done"');
});

test("logFile gets the same lines, one call after the other, and is readable by root alone", async () => {
  using node = makeNode();
  const logged = { ...config, logFile: "/var/log/virtfn.log" };
  const added = await callCni(node.host, logged);
  const deleted = await callCni(node.host, logged, { command: "DEL" });
  expect(readLog(node)).toBe(`${added.stderr}\n${deleted.stderr}\n`);
  expect(fs.statSync(join(node.root, "var/log/virtfn.log")).mode & 0o777).toBe(0o600);
});

test("a log file that cannot be written costs no pod its VF", async () => {
  using node = makeNode();
  fs.symlinkSync("/etc/passwd", join(node.root, "var/log/virtfn.log"));
  const { exitCode, stderr } = await callCni(node.host, { ...config, logFile: "/var/log/virtfn.log" });
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(
    /level=error msg="the log file is not written" .* error="ERR_SYSTEM_CALL: open\(\/var\/log\/virtfn.log\)/,
  );
});

test("no word of a pod can forge a line", async () => {
  using node = makeNode();
  const args = podArgs("web-1").replace("shop", 'a"b\nlevel=error\u009b \u2028');
  const { stderr } = await callCni(node.host, config, { args });
  expect(stderr.split("\n")).toHaveLength(1);
  expect(stderr).toContain(String.raw`namespace="a\"b\nlevel=error\u009b \u2028" pod=web-1`);
});

/** A record of the VF that tells nothing, as a power cut leaves it. */
async function emptyRecord(node: FakeHost): Promise<void> {
  await node.clock.advance(1);
  node.host.files.writeAtomic(`${node.host.paths.attachments}/0000:3b:02.1.json`, "");
}

const setAside = new RegExp(
  'level=warning msg="a record could not be read, and was set aside" .* ' +
    'pciAddress=0000:3b:02\\.1 reason=".*02\\.1\\.json: the file is empty"',
);

test("a record that is set aside is told, by whichever call does it", async () => {
  using node = makeNode();
  await emptyRecord(node);
  // The first ADD of a boot looks at all records.
  expect((await callCni(node.host, { ...config, deviceID: "0000:3b:02.2" })).stderr).toMatch(setAside);
  await emptyRecord(node);
  expect((await callCni(node.host, config, { containerId: "c2", ifName: "net2" })).stderr).toMatch(setAside);
  await emptyRecord(node);
  const end = { command: "DEL", containerId: "c2", ifName: "net2" };
  expect((await callCni(node.host, config, end)).stderr).toMatch(setAside);
  expect(node.toText().match(/quarantine .*json$/gm)).toHaveLength(3);
});

test("an MTU that the PF has no room for is told: many cards drop what is longer", async () => {
  using node = makeNode();
  const told =
    /level=warning msg="the MTU is larger than the PF's.*" .* pciAddress=0000:3b:02\.1 mtu=9000 pf=ens1f0 pfMtu=1500/;
  expect((await callCni(node.host, { ...config, mtu: 9000 })).stderr).toMatch(told);
  await callCni(node.host, config, { command: "DEL" });
  for (const [pfMtu, mtu] of [
    [9000, 9000],
    [9000, 1400],
    [1500, 1500],
  ] as const) {
    using home = node.host.openNetlink();
    home.setLink(home.getLink({ name: "ens1f0" })?.index ?? 0, { set: "mtu", value: pfMtu });
    expect((await callCni(node.host, { ...config, mtu })).stderr).not.toContain("warning");
    await callCni(node.host, config, { command: "DEL" });
  }
});
