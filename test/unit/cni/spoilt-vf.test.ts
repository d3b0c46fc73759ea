// A pod that changed all it can of its VF: DEL ended at any host call is finished by the next one, and what the driver keeps is told.

import { expect, test } from "vitest";

import { NetlinkError, SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { ofGoneOwners } from "../../../sriov/gone-owners.ts";
import { applyRepair, planRepair } from "../../../sriov/repair.ts";
import { createAttachedNode } from "../../support/attached-node.ts";
import { callCni } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { withFault, type Fault } from "../../support/faults.ts";
import { createKillNode, killCases, type KillCase } from "../../support/kill-cases.ts";
import { spoilVf } from "../../support/spoil-vf.ts";

/** Hundreds of nodes are made in one test. */
const slowMs = 120_000;
const done = { exitCode: 0, json: undefined };
// A reset by the hardware would put back some of it.
const everything = killCases
  .filter(({ name }) => name === "with every setting")
  .map(({ name, call, config }): KillCase => ({
    name,
    call,
    config: Object.assign({}, config, { resetBetweenPods: false }),
  }));

/** A node whose pod spoilt its VF, after a DEL with `fault`; how it was before. */
async function endDelete(
  { config, call }: KillCase,
  fault: Fault | undefined,
): Promise<{ readonly node: FakeHost; readonly before: string; readonly calls: readonly string[] }> {
  const node = createKillNode({ config });
  const before = node.toText();
  expect(await callCni(node.host, config, call)).toMatchObject({ exitCode: 0 });
  spoilVf(node);
  const { host, calls } = withFault(node.host, fault);
  const { exitCode } = await callCni(host, config, { ...call, command: "DEL" });
  expect(exitCode === 0 || fault !== undefined).toBe(true);
  node.endProcess();
  return { node, before, calls };
}

for (const one of everything)
  test.each([
    ["fail", "write", /^(?:openEthtool|trafficPrograms|files\.writeText|.*\.setLink)/],
    ["killAfter", "host call", /^/],
  ] as const)(
    "DEL of a spoilt VF that is ended (%s) at any %s is finished by the next",
    async (how, _what, wanted) => {
      const { calls, node: whole } = await endDelete(one, undefined);
      whole[Symbol.dispose]();
      expect(calls).toContain("openEthtool().setCoalescing");
      expect(calls).toContain("trafficPrograms.removeAll");
      for (const [at, call] of calls.entries()) {
        if (!wanted.test(call)) continue;
        const { node, before } = await endDelete(one, { at, how });
        using _node = node;
        const isNetnsGone = at % 2 === 1;
        if (isNetnsGone) node.removeNetns("web-1", 500);
        const deleted = await callCni(node.host, one.config, { ...one.call, command: "DEL" });
        const expected = isNetnsGone ? before.replace(/\/run\/netns\/web-1\n?/, "") : before;
        expect({ at, deleted, text: node.toText().trimEnd() }).toMatchObject({
          at,
          deleted: { exitCode: 0 },
          text: expected.trimEnd(),
        });
      }
    },
    slowMs,
  );

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };

function refuse(): never {
  throw new NetlinkError("setting", "EINVAL");
}

/** As a driver that has changed its mind. */
function refusing(host: Host): Host {
  return {
    ...host,
    openEthtool: (netns) => ({
      ...host.openEthtool(netns),
      setRings: refuse,
      setCoalescing: refuse,
      // Says yes and does nothing.
      setFeatures: () => undefined,
    }),
    openNetlink: (netns) => {
      const netlink = host.openNetlink(netns);
      return {
        ...netlink,
        setLink: (index, change) => {
          if (change.set === "trait" && change.trait === "gsoMaxSize") refuse();
          netlink.setLink(index, change);
        },
      };
    },
    files: {
      ...host.files,
      writeText: (path, text) => {
        if (path.endsWith("/threaded")) throw new SystemCallError("write", path, "EOPNOTSUPP");
        host.files.writeText(path, text);
      },
    },
  };
}

const kept = `
  gsoMaxSize 65536 2000
  rx ring 256 64
  tx ring 256 64
  features f0000001 00000001 00000000 00000000
  threaded 0 1
`;

/** "setting expected got" of each line that warns. */
function readWarnings(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.includes("keeps a setting of the pod"));
  const values = lines.map((line) => {
    expect(line).toMatch(/level=warning .*pciAddress=0000:3b:02\.1 /);
    const found = /setting=(?:"([^"]*)"|(\S+)) expected=(?:"([^"]*)"|(\S+)) got=(?:"([^"]*)"|(\S+))/.exec(
      line,
    );
    return `  ${(found ?? []).slice(1).filter(Boolean).join(" ")}\n`;
  });
  return `\n${values.join("")}`;
}

test("what a driver does not take back is told, a line each, and keeps no pod from ending", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  spoilVf(node);
  const quiet = { ...config, logLevel: "warning" };
  const answer = await callCni(refusing(node.host), quiet, { command: "DEL" });
  expect(answer).toMatchObject(done);
  expect(readWarnings(answer.stderr)).toBe(kept);
  expect(node.toText()).not.toContain("attachments");
});

test("GC, and the ADD of the next pod, tell it too", async () => {
  for (const last of ["GC", "ADD"]) {
    const { node } = await createAttachedNode(config);
    using _node = node;
    spoilVf(node);
    node.removeNetns("web-1");
    node.addNetns("web-2");
    const call = { command: last, containerId: "c2", netns: "/run/netns/web-2" };
    const list = {
      ...config,
      cniVersion: "1.1.0",
      ...(last === "GC" && { "cni.dev/valid-attachments": [] }),
    };
    const { exitCode, stderr } = await callCni(refusing(node.host), list, call);
    expect({ last, exitCode, kept: readWarnings(stderr) }).toEqual({ last, exitCode: 0, kept });
  }
});

test("repair says it of the VF that it gave back", async () => {
  const { node } = await createAttachedNode(config);
  using _node = node;
  spoilVf(node);
  node.removeNetns("web-1");
  const host = refusing(node.host);
  const rule = ofGoneOwners(host, () => undefined);
  const steps = await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs: 0 });
  expect(steps).toMatchObject([
    {
      action: "release",
      problem: undefined,
      kept: [{ setting: "gsoMaxSize", expected: "65536", got: "2000" }, {}, {}, {}, {}],
    },
  ]);
});

test("an XDP program that cannot be taken off keeps the VF from the next pod, and the error tells what to do", async () => {
  const { node, before } = await createAttachedNode(config);
  using _node = node;
  spoilVf(node);
  const trafficPrograms: Host["trafficPrograms"] = {
    ...node.host.trafficPrograms,
    removeHeldXdp: () => {
      throw new SystemCallError("bpf", "34, program 8 off link 5", "EINVAL");
    },
  };
  const host = { ...node.host, trafficPrograms };
  const { json } = await callCni(host, config, { command: "DEL" });
  expect(json).toMatchObject({ code: 102 });
  expect(json?.["msg"]).toMatch(
    /taking the XDP program 8 of the pod off .*EINVAL; `bpftool link show` on the node/,
  );
  expect(node.toText()).toContain("attachments 0000:3b:02.1.json");
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject(done);
  expect(node.toText()).toBe(before);
});
