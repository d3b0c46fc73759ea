// Starts the emulated node: QEMU in the lab's network namespace, its console and messages in files.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { LabArtifacts } from "../artifacts.ts";
import { type Child, startChild } from "../child.ts";
import { peerTapName, tapName } from "../cluster/network.ts";
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
  readonly isPeer?: boolean;
  readonly nics?: "igb" | "virtio" | undefined;
  readonly signal: AbortSignal;
}

export interface StartedNode {
  readonly child: Child;
  readonly node: LabNode;
  readonly qmpSocket: string;
}

/** Names of the sockets that QEMU makes in the node's folder. */
export const nodeSockets = ["qemu-agent.sock", "qmp.sock"] as const;

/**
 * The node, booted. Once in a while QEMU fails an assertion of its own while the guest sets up its IOMMU (iotlb_to_section):
 * such a node is started anew, once. `started` gets each node at once, to end it with the lab.
 */
export async function bootNode(
  options: NodeOptions & { readonly started: (node: StartedNode) => void },
  triesLeft = 1,
): Promise<StartedNode> {
  const started = await startNode(options);
  options.started(started);
  try {
    await waitForBoot(started, options.signal);
    return started;
  } catch (error) {
    if (triesLeft === 0 || options.signal.aborted) throw error;
    process.stderr.write(`the node did not boot (${String(error)}): started anew\n`);
    await started.child.kill();
    await Promise.all(nodeSockets.map((name) => rm(join(options.dir, name), { force: true })));
    return await bootNode(options, triesLeft - 1);
  }
}

/**
 * Until the guest's agent answers. Throws as soon as QEMU ends, and the wait is over with it: its later looks would meet the node
 * that was started in its place, and reset that.
 */
export async function waitForBoot(
  {
    child,
    node,
  }: { readonly child: Pick<Child, "whileRunning">; readonly node: Pick<LabNode, "waitForBoot"> },
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  try {
    await child.whileRunning(node.waitForBoot({ signal: AbortSignal.any([signal, over.signal]) }));
  } finally {
    over.abort();
  }
}

/** QEMU running and its sockets connected; the guest has only begun to boot. */
async function startNode(options: NodeOptions): Promise<StartedNode> {
  const [agentSocket, qmpSocket] = nodeSockets.map((name) => join(options.dir, name)) as [string, string];
  const child = startChild({
    name: "qemu",
    command: options.artifacts.qemu,
    args: qemuArguments({
      ...options.artifacts,
      memoryMb: options.memoryMb,
      numVfs: options.numVfs,
      tap: options.isPeer === true ? peerTapName : tapName,
      isPeer: options.isPeer,
      nics: options.nics,
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
