// docs/tuning.md shows what `virtfn tuning --once --dry-run` prints: it is run on the fake node, with a pod whose policy can't be met.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import { run } from "../../../tuning/main.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { renderOutputs } from "../../support/page-outputs.ts";
import { createTuningNode } from "../../support/tuning-node.ts";

const page = join(resolve(import.meta.dirname, "../../.."), "docs/tuning.md");
const noUevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };

/** What `virtfn LINE` prints; the interrupts come while it watches. */
async function print(line: string): Promise<string> {
  using node = createTuningNode(1);
  node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "follow-pod" } }));
  const count = (tx: number, rx: number): void => {
    const [first, second, mailbox] = node.irqs(0);
    const rows = [`${first}: ${tx} 0 PCI-MSI`, `${second}: ${rx} 0 PCI-MSI`, `${mailbox}: 3 0 PCI-MSI`];
    writeFolder(node.fake.root, { "proc/interrupts": ["     CPU0 CPU1", ...rows].join("\n") });
  };
  count(808, 9107);
  node.fake.clock.after(500, () => count(812, 9144));
  const printed: string[] = [];
  const [, ...args] = line.split(" ");
  await run({ ...node.host, uevents: noUevents }, args, (text) => void printed.push(text));
  return printed.join("");
}

// `UPDATE_DOCS=1 npm run test:unit -- test/unit/docs/tuning.test.ts` writes the page.
test("docs/tuning.md shows the report as it is", async () => {
  const text = readFileSync(page, "utf8");
  const { text: rendered, lines } = await renderOutputs(text, print);
  if (process.env["UPDATE_DOCS"] !== undefined) writeFileSync(page, rendered);
  expect(lines).toEqual(["tuning --once --dry-run"]);
  expect(readFileSync(page, "utf8")).toBe(rendered);
});
