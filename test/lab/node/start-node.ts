// Starts the emulated node: QEMU in the lab's network namespace, its console and messages in files.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LabArtifacts } from "../artifacts.ts";
import { type Child, startChild } from "../child.ts";
import { tapName } from "../cluster/network.ts";
import { waitUntil } from "../wait-until.ts";
import { LabNode } from "./lab-node.ts";
import { qemuArguments } from "./qemu-arguments.ts";

export interface NodeOptions {
  readonly artifacts: Pick<LabArtifacts, "qemu" | "kernel" | "initrd" | "disk">;
  /** Folder for the node's sockets; its path is short, a unix socket's name has 107 characters. */
  readonly dir: string;
  readonly logsDir: string;
  readonly netns: string;
  readonly memoryMb: number;
  readonly numVfs: readonly [number, number];
  readonly signal: AbortSignal;
}

export interface StartedNode {
  readonly child: Child;
  readonly node: LabNode;
  readonly qmpSocket: string;
}

/** QEMU running and its sockets connected; the guest has only begun to boot. */
export async function startNode(options: NodeOptions): Promise<StartedNode> {
  const agentSocket = join(options.dir, "qemu-agent.sock");
  const qmpSocket = join(options.dir, "qmp.sock");
  const child = startChild({
    name: "qemu",
    command: options.artifacts.qemu,
    args: qemuArguments({
      ...options.artifacts,
      memoryMb: options.memoryMb,
      numVfs: options.numVfs,
      tap: tapName,
      consoleLog: join(options.logsDir, "console.log"),
      agentSocket,
      qmpSocket,
    }),
    netns: options.netns,
    logFile: join(options.logsDir, "qemu.log"),
  });
  try {
    const wait = { timeoutMs: 30_000, intervalMs: 50, signal: options.signal };
    await child.whileRunning(waitUntil("QEMU's sockets", () => assertExist([agentSocket, qmpSocket]), wait));
    return {
      child,
      qmpSocket,
      node: await LabNode.connect({ netns: options.netns, agentSocket, qmpSocket }),
    };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

function assertExist(paths: readonly string[]): void {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`${missing.join(" and ")} not there`);
}
