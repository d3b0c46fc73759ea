// The order in which a node is left: what works with the rest goes before it, and state goes last.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { planUninstall } from "../../../../cli/uninstall/plan.ts";
import { describeStep, uninstall } from "../../../../cli/uninstall/uninstall.ts";
import { formatSocketName } from "../../../../kubelet/socket-name.ts";
import { parsePciAddress } from "../../../../sriov/pci-address.ts";
import { writeTuningRecord } from "../../../../sriov/tuning-store.ts";
import { writeTold } from "../../../../tuning/irqbalance/told-record.ts";
import type { FakeHost } from "../../../support/fake-host.ts";
import { startIrqBalance } from "../../../support/fake-irqbalance.ts";
import { conflist, folders, install, makeNode } from "../../../support/installed-node.ts";

/** Everything that there can be on a node: tuning and irqbalance too, a socket of the device plugin, and a record that was set aside. */
function installAll(node: FakeHost): void {
  install(node);
  const { clock, paths, files } = node.host;
  const address = parsePciAddress("0000:3b:02.1");
  writeTuningRecord(node.host, { address, bootId: clock.bootId(), inode: "1", vectors: [] });
  startIrqBalance(node, { pid: 77, bans: [41] });
  const told = { bootId: clock.bootId(), pid: 77, startTicks: "7700", irqs: [41], covered: [] };
  writeTold(node.host, { told, folders: [] });
  fs.writeFileSync(join(paths.kubelet.devicePlugins, formatSocketName("sriov/vf")), "");
  files.writeAtomic(`${paths.quarantine}/0000:3b:02.1.1.json`, "");
}

/** What each kind of step is about, in the order that the design tells. */
const kinds: readonly (readonly [string, RegExp])[] = [
  ["tuning", /^put back interrupts/],
  ["irqbalance", /irqbalance was told$/],
  ["entry", /^take the entry out/],
  ["sockets", /\.sock$/],
  ["CDI and device-info", /\/(?:cdi|k8s\.cni\.cncf\.io)(?:\/|$)/],
  ["udev rule", /\.rules$/],
  ["run state", /\/run\/virtfn(?:\/|$)/],
  ["executable", /\/opt\/cni\/bin\//],
  ["state", /\/(?:var\/lib|etc)\/virtfn(?:\/|$)/],
];

function kindOf(step: string): string {
  return kinds.find(([, words]) => words.test(step))?.[0] ?? step;
}

test("tuning, irqbalance, the entry, sockets, CDI and device-info files, the udev rule, the executable, state", async () => {
  using node = makeNode();
  installAll(node);
  const steps = planUninstall(node.host, folders).map(describeStep);
  const order = steps.map(kindOf).filter((kind, at, all) => kind !== all[at - 1]);
  expect(order).toEqual(kinds.map(([kind]) => kind));
  const done = (await uninstall(node.host, folders)).map(describeStep);
  expect(done.map(kindOf).filter((kind, at, all) => kind !== all[at - 1])).toEqual(order);
});

test("the executable is there as long as a runtime may find the entry", async () => {
  using node = makeNode();
  installAll(node);
  const executable = join(node.root, "opt/cni/bin/virtfn");
  const seen: string[] = [];
  const note = (doing: string): void => {
    const hasEntry = fs.readFileSync(conflist(node), "utf8").includes('"virtfn"');
    seen.push(
      `${doing}: ${hasEntry ? "entry" : "no entry"}, ${fs.existsSync(executable) ? "" : "no "}executable`,
    );
  };
  const files: typeof node.host.files = {
    ...node.host.files,
    replaceUnchanged: (...args) => {
      note("entry");
      return node.host.files.replaceUnchanged(...args);
    },
    remove: (path) => {
      if (path === executable) note("executable");
      return node.host.files.remove(path);
    },
  };
  await uninstall({ ...node.host, files }, folders);
  note("end");
  expect(seen).toEqual([
    "entry: entry, executable",
    "executable: no entry, executable",
    "end: no entry, no executable",
  ]);
});
