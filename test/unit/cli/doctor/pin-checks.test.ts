// What `virtfn doctor` says of irqbalance beside pins: what it was told, and whether they hold.

import { expect, test } from "vitest";

import { writePolicyEntry } from "../../../../tuning/irqbalance/policy-entry.ts";
import { findTrouble } from "../../../support/call-doctor.ts";
import { createDoctorNode, type DoctorNode } from "../../../support/doctor-node.ts";
import { startIrqBalance } from "../../../support/fake-irqbalance.ts";

const folder = "/etc/irqbalance.d";

/** IRQs that are pinned on this node. */
function pinned(node: DoctorNode): readonly number[] {
  return node.irqs(0).slice(0, 2);
}

async function readFindings(node: DoctorNode): Promise<readonly string[]> {
  const { told } = await findTrouble(node);
  return told.map(({ check, severity, seen }) => `${check} ${severity}: ${seen}`);
}

test("one that was told by its list keeps off", async () => {
  using node = createDoctorNode();
  startIrqBalance(node.fake, { pid: 77, bans: pinned(node) });
  expect(await readFindings(node)).toEqual([]);
});

test("one that asks our entry keeps off, and one whose folder has none of ours does not", async () => {
  using node = createDoctorNode();
  node.write(`${folder}/other`, "", 0o755);
  startIrqBalance(node.fake, { pid: 77, args: ["-l", folder] });
  const what = "irqbalance (process 77) runs beside 2 pinned interrupts";
  expect(await readFindings(node)).toEqual([
    `irqbalance warn: ${what}, and does not know that it shall leave 2 of them alone`,
  ]);
  writePolicyEntry(node.host, folder);
  expect(await readFindings(node)).toEqual([]);
});

test("one that was told of some only does not know of the others", async () => {
  using node = createDoctorNode();
  startIrqBalance(node.fake, { pid: 77, bans: pinned(node).slice(1) });
  expect(await readFindings(node)).toEqual([expect.stringContaining("shall leave 1 of them alone")]);
});

test("one that does not tell its list is believed its command line", async () => {
  using node = createDoctorNode();
  const args = pinned(node).flatMap((irq) => ["-i", `${irq}`]);
  node.startProcess(["irqbalance", ...args]);
  expect(await readFindings(node)).toEqual([]);
  node.startProcess(["irqbalance", ...args.slice(0, 2)]);
  expect(await readFindings(node)).toEqual([
    expect.stringMatching(/leave 1 of them alone \(.*process 77 cannot be asked/),
  ]);
});

test("a pin that is not there any more is told of, though it keeps off", async () => {
  using node = createDoctorNode();
  startIrqBalance(node.fake, { pid: 77, bans: pinned(node) });
  node.host.files.writeText(`${node.host.paths.proc}/irq/${pinned(node)[1]}/smp_affinity_list`, "3");
  expect(await readFindings(node)).toEqual([
    "irqbalance warn: irqbalance (process 77) runs beside 2 pinned interrupts, and 1 are not there any more (41, pinned to 1)",
  ]);
});
