// Records whose VF is no more, while another VF is at its address: the lease goes, the VF that is there now is left alone.

import { expect, test } from "vitest";

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
  mtu: 9000,
  ipam: { type: "host-local", subnet: "192.0.2.0/24" },
};

/** How the record came to be an old one, and whether its pod's namespace is still there. */
const ages = {
  "the node was started again, and the VF has the inode of before": { isAnew: false, isReboot: true },
  "the node was started again": { isAnew: true, isReboot: true },
  "the VFs were made anew after the pod": { isAnew: true, isReboot: false },
  "the VFs were made anew below the pod": { isAnew: true, isReboot: false, hasPod: true },
} as const;
type Age = keyof typeof ages;

/** A node with web-1's record of such an age; what is at the VF's address now has settings of the administrator's. */
async function makeNode(age: Age): Promise<FakeHost> {
  const {
    isAnew,
    isReboot,
    hasPod = false,
  }: { isAnew: boolean; isReboot: boolean; hasPod?: boolean } = ages[age];
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, driver: "ice" }]);
  node.addNetns("web-1");
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  if (!hasPod) node.removeNetns("web-1");
  if (isReboot) node.clock.reboot();
  if (isAnew) await makeAnew(node);
  using home = node.host.openNetlink();
  const pf = home.getLink({ name: "ens1f0" })?.index ?? 0;
  home.setVf(pf, 1, { set: "vlan", vlan: 9, qos: 0, vlanProto: "802.1q" });
  home.setVf(pf, 1, { set: "trust", value: true });
  const link = home.listLinks().find(({ parentDevice }) => parentDevice === vf);
  home.setLink(link?.index ?? 0, { set: "name", value: "data1" });
  home.setLink(link?.index ?? 0, { set: "mtu", value: 1400 });
  node.addNetns("web-2");
  return node;
}

async function makeAnew({ host, clock }: FakeHost): Promise<void> {
  for (const count of ["0", "2"])
    host.files.writeText(`${host.paths.sys}/bus/pci/devices/0000:3b:00.0/sriov_numvfs`, count);
  await clock.advance(1000);
}

const second = { containerId: "c2", netns: "/run/netns/web-2", args: podArgs("web-2") };
const noPod = { containerId: "", netns: "", ifName: "", args: "" };

function codeOf({ exitCode, json }: TestAnswer): string {
  return exitCode === 0 ? "ok" : (String(json?.["msg"]).split(":")[0] ?? "");
}

async function repair({ host }: FakeHost): Promise<string> {
  const rule = ofGoneOwners(host, () => undefined);
  const steps = await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs: 0 });
  return steps.map(({ action, problem }) => problem?.code ?? action).join();
}

const actions: Readonly<Record<string, (node: FakeHost) => Promise<string>>> = {
  "GC that lists nobody": async ({ host }) =>
    codeOf(await callCni(host, { ...config, "cni.dev/valid-attachments": [] }, { command: "GC", ...noPod })),
  repair,
  "DEL of its pod": async ({ host }) => codeOf(await callCni(host, config, { command: "DEL", netns: "" })),
  "ADD of another pod": async ({ host }) => {
    const { mtu: _mtu, ipam: _ipam, ...plain } = config;
    const added = codeOf(await callCni(host, plain, second));
    if (added !== "ok") return added;
    return `ok, then DEL ${codeOf(await callCni(host, plain, { ...second, command: "DEL" }))}`;
  },
};

/** Of the node's text, what is of the VF, its record and its lease. */
function describe(node: FakeHost, before: string): string {
  const text = node.toText();
  const vfNow = ofVf(text) === ofVf(before) ? "VF left alone" : ofVf(text);
  return `${vfNow}, ${text.includes("attachments ") ? "record" : "no record"}, ${text.includes("\nlease ") ? "lease" : "no lease"}`;
}

function ofVf(text: string): string {
  const lines = text.split("\n").filter((line) => /vf 1 | data1 | net1 |quarantine/.test(line));
  return lines.filter((line) => !line.startsWith("lease")).join("\n");
}

test("what each does with a record of each age", async () => {
  const lines: string[] = [];
  for (const [action, run] of Object.entries(actions)) {
    lines.push(action);
    for (const age of Object.keys(ages) as Age[]) {
      using node = await makeNode(age);
      const before = node.toText();
      expect(before).toContain("data1 0000:3b:02.1");
      const outcome = await run(node);
      lines.push(`  ${age} -> ${outcome}: ${describe(node, before)}`);
    }
  }
  expect(`\n${lines.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    GC that lists nobody
      the node was started again, and the VF has the inode of before -> ok: VF left alone, no record, no lease
      the node was started again -> ok: VF left alone, no record, no lease
      the VFs were made anew after the pod -> ok: VF left alone, no record, no lease
      the VFs were made anew below the pod -> ok: VF left alone, no record, no lease
    repair
      the node was started again, and the VF has the inode of before -> release: VF left alone, no record, no lease
      the node was started again -> release: VF left alone, no record, no lease
      the VFs were made anew after the pod -> release: VF left alone, no record, no lease
      the VFs were made anew below the pod -> keep: VF left alone, record, lease
    DEL of its pod
      the node was started again, and the VF has the inode of before -> ok: VF left alone, no record, no lease
      the node was started again -> ok: VF left alone, no record, no lease
      the VFs were made anew after the pod -> ok: VF left alone, no record, no lease
      the VFs were made anew below the pod -> ok: VF left alone, no record, no lease
    ADD of another pod
      the node was started again, and the VF has the inode of before -> ok, then DEL ok: VF left alone, no record, no lease
      the node was started again -> ok, then DEL ok: VF left alone, no record, no lease
      the VFs were made anew after the pod -> ok, then DEL ok: VF left alone, no record, no lease
      the VFs were made anew below the pod -> ERR_VF_BUSY: VF left alone, record, lease
    "
  `);
});
