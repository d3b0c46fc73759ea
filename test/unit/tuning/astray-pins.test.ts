// Pins that the kernel took, and whose interrupts come elsewhere all the same.

import { expect, test } from "vitest";

import { AstrayPins } from "../../../tuning/astray-pins.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

/** A pod with a VF whose rx interrupt is pinned to CPU 1; it came `came` times on CPU 3, which the hardware uses. */
function deliver(node: TuningNode, came: number, effective = "3"): void {
  const [, rx] = node.irqs(0);
  writeFolder(node.fake.root, {
    [`proc/irq/${rx}/effective_affinity_list`]: effective,
    "proc/interrupts": ["     CPU0 CPU3", `${rx}: 0 ${came} PCI-MSI`].join("\n"),
  });
}

function start(node: TuningNode): () => Promise<readonly string[]> {
  const memory = createPassMemory(node.host);
  node.attach(0, "web-1");
  return async () => {
    const { problems } = await passOnce(node.host, memory);
    return problems.map(({ about, code, message }) => `${about} ${code}: ${message}`);
  };
}

test("are told when the interrupt came there between two looks, as long as it does, and no longer", async () => {
  using node = createTuningNode(1);
  const pass = start(node);
  deliver(node, 5);
  expect([await pass(), await pass()]).toEqual([[], []]);
  deliver(node, 6);
  const [, rx] = node.irqs(0);
  const problem = `vector 1 PARTIAL: IRQ ${rx} is pinned to CPU 1, and comes on CPU 3`;
  expect([await pass(), await pass()]).toEqual([[problem], [problem]]);
  deliver(node, 7, "1");
  expect(await pass()).toEqual([]);
  deliver(node, 7);
  expect([await pass(), await pass()]).toEqual([[], []]);
});

test("are none while the interrupt does not come: without remapping the kernel moves it when it does", async () => {
  using node = createTuningNode(1);
  const pass = start(node);
  deliver(node, 5);
  expect([await pass(), await pass(), await pass()]).toEqual([[], [], []]);
});

test("are none of a move in flight: what comes on the old CPU once is on its way", async () => {
  using node = createTuningNode(1);
  const pass = start(node);
  deliver(node, 5);
  expect([await pass(), await pass()]).toEqual([[], []]);
  deliver(node, 6, "1");
  expect(await pass()).toEqual([]);
});

test("are none where a pin was put back between two looks: what came meanwhile came where it was", async () => {
  using node = createTuningNode(1);
  const pass = start(node);
  deliver(node, 5);
  expect([await pass(), await pass()]).toEqual([[], []]);
  const [, rx] = node.irqs(0);
  writeFolder(node.fake.root, { [`proc/irq/${rx}/smp_affinity_list`]: "3" });
  deliver(node, 6);
  expect([await pass(), await pass()]).toEqual([[], []]);
  deliver(node, 7);
  expect(await pass()).toHaveLength(1);
});

test("are none where the hardware followed while the pass was under way", async () => {
  using node = createTuningNode(1);
  const memory = createPassMemory(node.host);
  node.attach(0, "web-1");
  await passOnce(node.host, memory);
  deliver(node, 5);
  const report = await passOnce(node.host, memory);
  const astray = new AstrayPins(node.host);
  expect(astray.add(report)).toEqual([]);
  deliver(node, 6);
  expect(astray.add(report)).toHaveLength(1);
  deliver(node, 7, "1");
  expect(astray.add(report)).toEqual([]);
});
