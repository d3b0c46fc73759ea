// docs/cli.md shows what the commands print: each block behind an "output of" comment is run on the fake node.

import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

import { runDoctor } from "../../../cli/doctor/main.ts";
import { runExplain } from "../../../cli/explain/main.ts";
import { runStatus } from "../../../cli/status/main.ts";
import type { PodAllocation } from "../../../kubelet/pod-resources.ts";
import { createDoctorNode, makePod } from "../../support/doctor-node.ts";
import { startIrqBalance } from "../../support/fake-irqbalance.ts";
import { renderOutputs } from "../../support/page-outputs.ts";
import { createStatusNode } from "../../support/status-node.ts";

const page = join(resolve(import.meta.dirname, "../../.."), "docs/cli.md");

type Run = (args: readonly string[], print: (text: string) => void) => Promise<unknown>;

const commands: Readonly<Record<string, Run>> = {
  status: async (args, print) => {
    using node = createStatusNode();
    await runStatus(node.host, args, { print, isTerminal: false, signal: new AbortController().signal });
  },
  doctor: async (args, print) => {
    using node = createDoctorNode();
    node.write("etc/cni/net.d/05-new.conflist", '{"plugins": [{"type": "bridge"}, {"type": "portmap"}]}');
    node.pods.push(makePod("web-2", [node.address(1)]));
    startIrqBalance(node.fake, { pid: 77 });
    const listPods = async (): Promise<PodAllocation[]> => node.pods;
    await runDoctor(node.host, args, { print, isTerminal: false, listPods });
  },
  explain: async (args, print) => {
    using node = createDoctorNode();
    const { applied, ...record } = node.record(0);
    const set = { vlan: 100, trust: true, addresses: ["192.0.2.7/24"] };
    node.putRecord({ ...record, applied: { ...applied, ...set } });
    node.pods.push(makePod("web-2", [node.address(1)]));
    const listPods = async (): Promise<PodAllocation[]> => node.pods;
    await runExplain(node.host, args, { print, isTerminal: false, listPods });
  },
};

async function print(line: string): Promise<string> {
  const [name = "", ...args] = line.split(" ");
  const printed: string[] = [];
  await commands[name]?.(args, (part) => printed.push(part));
  return printed.join("");
}

// `UPDATE_DOCS=1 npm run test:unit -- test/unit/docs/cli.test.ts` writes the page.
test("docs/cli.md shows the output of each command as it is", async () => {
  const text = readFileSync(page, "utf8");
  const { text: rendered, lines } = await renderOutputs(text, print);
  if (process.env["UPDATE_DOCS"] !== undefined) writeFileSync(page, rendered);
  const shown = lines.map((line) => line.split(" ", 1)[0]);
  expect([...new Set(shown)]).toEqual(Object.keys(commands));
  expect(readFileSync(page, "utf8")).toBe(rendered);
});
