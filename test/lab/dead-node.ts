// What a node that answers no more can still tell: where its CPUs are, and its kernel's own account after an NMI.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { LabNode } from "./node/lab-node.ts";
import { waitUntil } from "./wait-until.ts";

const shownLines = 40;
const endOfPanic = "end Kernel panic";

/**
 * Writes cpus.log (registers of all CPUs, by QEMU's monitor), has the kernel panic by NMI, which prints the stacks of its CPUs,
 * its timers and its blocked tasks on the console (`unknown_nmi_panic`, `panic_print`), and gives the console's last lines.
 */
export async function askDeadNode(node: Pick<LabNode, "qmp">, logsDir: string): Promise<string> {
  const consoleLog = join(logsDir, "console.log");
  const before = await readTail(consoleLog);
  try {
    await node.qmp(async (qmp) => {
      const registers = await qmp.execute("human-monitor-command", { "command-line": "info registers -a" });
      await writeFile(join(logsDir, "cpus.log"), String(registers));
      await qmp.execute("inject-nmi");
    });
    await waitUntil("the kernel's panic on the console", () => assertPanicked(consoleLog), {
      timeoutMs: 30_000,
    });
  } catch (error) {
    return `${before}\nits kernel tells no more: ${String(error)}`;
  }
  return `${before}\nits CPUs are in ${logsDir}/cpus.log, its kernel's stacks at the end of ${consoleLog}`;
}

async function assertPanicked(consoleLog: string): Promise<void> {
  if (!(await readFile(consoleLog, "utf8")).includes(endOfPanic)) throw new Error("no panic yet");
}

async function readTail(file: string): Promise<string> {
  return (await readFile(file, "utf8")).trimEnd().split("\n").slice(-shownLines).join("\n");
}
