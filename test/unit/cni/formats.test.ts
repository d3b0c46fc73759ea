// Upgrades and downgrades with live pods: what every verb, repair and uninstall do with records that other releases wrote.

import { expect, test } from "vitest";

import { uninstall } from "../../../cli/uninstall/uninstall.ts";
import { releaseEarlierBoots } from "../../../sriov/earlier-boots.ts";
import { ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { applyRepair, planRepair } from "../../../sriov/repair.ts";
import { callCni, podArgs, type TestAnswer } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const vf = "0000:3b:02.1";
const config = {
  cniVersion: "1.1.0",
  name: "blue",
  type: "virtfn",
  deviceID: vf,
  vlan: 100,
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};
const folders = { binDir: "/opt/cni/bin", confDir: "/etc/cni/net.d", kubeletRoot: "/var/lib/kubelet" };

/** What another release may have written: in the next minor fields and values that are new, in another major all but who has the VF. */
const formats = {
  "this one": {},
  "next minor": { format: "1.1", colour: "blue", original: { ring: { size: 4 } }, owner: { zone: "a" } },
  "a new word": { format: "1.1", announce: "failed" },
  "previous major": { format: "0.9", original: "in other words", state: "on" },
  "unknown major": { format: "2.0", original: "in other words", state: "on" },
  "other words": { format: "2.0", owner: { who: "?" }, original: undefined, ipam: { how: "?" } },
} as const;
type Format = keyof typeof formats;

const recordPath = (node: FakeHost): string => `${node.host.paths.attachments}/${vf}.json`;

async function makeNode(format: Format): Promise<FakeHost> {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  node.addNetns("web-2");
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  const record = JSON.parse(node.host.files.readText(recordPath(node)) ?? "") as Record<string, unknown>;
  for (const [key, value] of Object.entries(formats[format])) {
    const isMerged = typeof value === "object" && !("who" in value || "how" in value);
    record[key] = isMerged ? { ...(record[key] as object), ...value } : value;
  }
  node.host.files.writeAtomic(recordPath(node), JSON.stringify(record));
  return node;
}

/** "ERR_VF_BUSY: VF in pod, record, lease": what came of it. */
function describe(node: FakeHost, answer: string): string {
  const text = node.toText();
  const record = text.includes("attachments ")
    ? "record"
    : text.includes("quarantine ")
      ? "set aside"
      : "no record";
  const where = /\n\/run\/netns\/web-1\n {2}net1 /.test(text)
    ? "web-1"
    : /\n\/run\/netns\/web-2\n {2}net1 /.test(text)
      ? "web-2"
      : "home";
  return `${answer}: VF ${where}, ${record}, ${/\nlease .*c1/.test(text) ? "lease" : "no lease"}`;
}

function codeOf({ exitCode, json }: TestAnswer): string {
  return exitCode === 0 ? "ok" : (String(json?.["msg"]).split(":")[0] ?? "");
}

const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };
const list = (containerID: string): object => ({
  ...config,
  "cni.dev/valid-attachments": [{ containerID, ifname: "net1" }],
});

async function end(node: FakeHost): Promise<void> {
  node.removeNetns("web-1");
}

const actions: Readonly<Record<string, (node: FakeHost) => Promise<string>>> = {
  "CHECK of its pod": async ({ host }) => {
    const prevResult = {
      cniVersion: "1.1.0",
      interfaces: [{ name: "net1", sandbox: "/run/netns/web-1" }],
      ips: [{ address: "192.0.2.2/24", interface: 0 }],
    };
    return codeOf(await callCni(host, { ...config, prevResult }, { command: "CHECK" }));
  },
  "ADD of another pod": async ({ host }) => codeOf(await callCni(host, config, second)),
  "ADD when its pod is gone": async (node) => {
    await end(node);
    return codeOf(await callCni(node.host, config, second));
  },
  "DEL of its pod": async ({ host }) => codeOf(await callCni(host, config, { command: "DEL" })),
  "DEL of its pod, gone": async (node) => {
    await end(node);
    return codeOf(await callCni(node.host, config, { command: "DEL", netns: "" }));
  },
  "DEL of another pod": async ({ host }) =>
    codeOf(await callCni(host, config, { ...second, command: "DEL" })),
  "GC that lists its pod": async ({ host }) => codeOf(await callCni(host, list("c1"), { command: "GC" })),
  "GC that does not": async ({ host }) => codeOf(await callCni(host, list("c2"), { command: "GC" })),
  repair: async ({ host }) => repair(host),
  "repair, pod gone": async (node) => {
    await end(node);
    return repair(node.host);
  },
  "first ADD of a boot": async (node) => {
    await end(node);
    node.clock.reboot();
    return (await releaseEarlierBoots(node.host)).problems.length === 0 ? "ok" : "problems";
  },
  "repair after a restart": async (node) => {
    await end(node);
    node.clock.reboot();
    return repair(node.host);
  },
  uninstall: async ({ host }) =>
    uninstall(host, folders).then(
      () => "ok",
      (error: { readonly code: string }) => error.code,
    ),
};

async function repair(host: FakeHost["host"]): Promise<string> {
  const rule = ofGoneOwners(host, () => undefined);
  const steps = await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs: 0 });
  return steps.map(({ action, problem }) => problem?.code ?? action).join();
}

test("what each does with a record of each format", async () => {
  const lines: string[] = [];
  for (const [action, run] of Object.entries(actions)) {
    const outcomes = new Map<string, string[]>();
    for (const format of Object.keys(formats) as Format[]) {
      using node = await makeNode(format);
      const outcome = describe(node, await run(node));
      outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), format]);
    }
    lines.push(action, ...[...outcomes].map(([outcome, of]) => `  ${of.join(", ")} -> ${outcome}`));
  }
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    CHECK of its pod
      this one, next minor -> ok: VF web-1, record, lease
      a new word, previous major, unknown major, other words -> ERR_RECORD_FORMAT: VF web-1, record, lease
    ADD of another pod
      this one, next minor -> ERR_VF_BUSY: VF web-1, record, lease
      a new word, previous major, unknown major, other words -> ERR_RECORD_FORMAT: VF web-1, record, lease
    ADD when its pod is gone
      this one, next minor -> ok: VF web-2, record, no lease
      a new word, previous major, unknown major, other words -> ERR_RECORD_FORMAT: VF home, record, lease
    DEL of its pod
      this one, next minor -> ok: VF home, no record, no lease
      a new word, previous major, unknown major, other words -> ok: VF home, set aside, no lease
    DEL of its pod, gone
      this one, next minor -> ok: VF home, no record, no lease
      a new word, previous major, unknown major, other words -> ok: VF home, set aside, no lease
    DEL of another pod
      this one, next minor, a new word, previous major, unknown major, other words -> ok: VF web-1, record, lease
    GC that lists its pod
      this one, next minor, a new word, previous major, unknown major, other words -> ok: VF web-1, record, lease
    GC that does not
      this one, next minor -> ok: VF home, no record, no lease
      a new word, previous major, unknown major -> ok: VF home, set aside, no lease
      other words -> ok: VF web-1, record, lease
    repair
      this one, next minor, a new word, previous major, unknown major, other words -> keep: VF web-1, record, lease
    repair, pod gone
      this one, next minor -> release: VF home, no record, no lease
      a new word, previous major, unknown major -> reset: VF home, set aside, no lease
      other words -> keep: VF home, record, lease
    first ADD of a boot
      this one, next minor -> ok: VF home, no record, no lease
      a new word, previous major, unknown major, other words -> ok: VF home, record, lease
    repair after a restart
      this one, next minor -> release: VF home, no record, no lease
      a new word, previous major, unknown major -> reset: VF home, set aside, no lease
      other words -> keep: VF home, record, lease
    uninstall
      this one, next minor, a new word, previous major, unknown major, other words -> ERR_UNINSTALL: VF web-1, record, lease
    "
  `);
});

test.each(["next minor", "a new word"] as const)(
  "fields that this release does not know survive what it writes (%s)",
  async (format) => {
    using node = await makeNode(format);
    const exec = { run: async () => ({ exitCode: 1, stdout: "", stderr: "no disk" }) };
    await callCni({ ...node.host, exec }, config, { command: "DEL" });
    const kept = JSON.parse(node.host.files.readText(recordPath(node)) ?? "") as object;
    const {
      owner: _owner,
      original: _original,
      ...top
    } = formats[format] as { owner?: object; original?: object };
    expect(kept).toMatchObject(top);
  },
);
