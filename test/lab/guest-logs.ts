// What the node knows about a run that has ended: its journal and its pods' logs, brought out before it is switched off.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { askDeadNode } from "./dead-node.ts";
import type { LabNode } from "./node/lab-node.ts";

const logs = {
  "journal.log": "journalctl --boot=all --no-pager --output=short-precise",
  "pods.log": `cd /var/log/pods 2>/dev/null && find . -name '*.log' -type f | sort | while read -r log; do echo "== $log"; cat "$log"; done`,
  "records.log":
    'cd /var/lib/virtfn 2>/dev/null && find . -type f | sort | while read -r file; do echo "== $file"; cat "$file"; echo; done',
} as const;

/** Writes journal.log, pods.log and records.log into `logsDir`; of a node that answers no more, what its CPUs and console tell. */
export async function collectGuestLogs(node: Pick<LabNode, "exec" | "qmp">, logsDir: string): Promise<void> {
  try {
    await node.exec("true", { timeoutMs: 20_000 });
  } catch (error) {
    process.stderr.write(
      `the node answers no more (${String(error)}); the end of its console:\n${await askDeadNode(node, logsDir)}\n`,
    );
    return;
  }
  await Promise.all(
    Object.entries(logs).map(async ([name, script]) => {
      try {
        const { stdout, stderr } = await node.exec(script, { timeoutMs: 10_000 });
        await writeFile(join(logsDir, name), stdout + stderr);
      } catch (error) {
        await writeFile(join(logsDir, name), `not read: ${String(error)}\n`);
      }
    }),
  );
}
