// A running lab: one emulated SR-IOV node with a real Kubernetes around it, all in a network namespace of its own.
import { mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LabArtifacts, LAB_NETWORK, type Progress } from "./artifacts.ts";
import type { Child } from "./child.ts";
import { startControlPlane } from "./cluster/control-plane.ts";
import { createKubectl, type Kubectl } from "./cluster/kubectl.ts";
import { createLabNetwork } from "./cluster/network.ts";
import { waitForNode, waitForServiceAccount } from "./cluster/wait-for.ts";
import { collectGuestLogs } from "./guest-logs.ts";
import { type LabHandle, writeLabHandle } from "./lab-handle.ts";
import { startAgentRelay } from "./node/agent-relay.ts";
import type { LabNode } from "./node/lab-node.ts";
import { bootNode, nodeSockets } from "./node/start-node.ts";

export interface LabOptions {
  readonly artifacts: LabArtifacts;
  readonly progress: Progress;
  /** Where logs, sockets and lab.json go; a new folder below the system's temporary one when missing. */
  readonly dir?: string | undefined;
  readonly memoryMb?: number;
  /** VFs that the node makes at boot, per PF. */
  readonly numVfs?: readonly [number, number];
  /** Which NICs the node has; `virtio` needs the QEMU of prepare/virtio-qemu.ts. */
  readonly nics?: "igb" | "virtio";
  /** Without it only the node runs, which boots but joins nothing. */
  readonly withControlPlane?: boolean;
  /** Ends a start that is under way; `stop` ends a lab that has started. */
  readonly signal?: AbortSignal | undefined;
}

export interface Lab extends AsyncDisposable {
  readonly handle: LabHandle;
  readonly node: LabNode;
  readonly kubectl: Kubectl;
  readonly logsDir: string;
  /** Ends everything the lab started; only the logs stay. */
  stop(): Promise<void>;
}

/** Boots node and control plane side by side; the node is Ready when it returns. When it throws, nothing is left running. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const { artifacts, progress, withControlPlane = true } = options;
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "virtfn-lab-"));
  const logsDir = join(dir, "logs");
  mkdirSync(logsDir, { recursive: true });
  const children: Child[] = [];
  const giveUp = new AbortController();
  const signal = AbortSignal.any([giveUp.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  await using cleanUp = new AsyncDisposableStack();
  const network = cleanUp.use(await createLabNetwork());
  const { netns } = network;
  cleanUp.defer(async () => {
    giveUp.abort();
    await Promise.all(children.map((child) => child.kill()));
  });

  const kubectl = createKubectl({ artifacts, netns, cacheDir: join(dir, "kubectl-cache") });
  const controlPlane = withControlPlane
    ? timed(
        progress,
        "control plane",
        startControlPlane({
          artifacts,
          dir,
          logsDir,
          netns,
          kubectl,
          signal,
          started: (child) => children.push(child),
        }),
      )
    : Promise.resolve();
  const booted = timed(
    progress,
    "node boots",
    (async () => {
      const started = await bootNode({
        artifacts,
        signal,
        dir,
        logsDir,
        netns,
        memoryMb: options.memoryMb ?? 2560,
        numVfs: options.numVfs ?? [7, 0],
        nics: options.nics,
        started: ({ child, node }) => {
          children.push(child);
          cleanUp.use(node);
        },
      });
      cleanUp.defer(() => collectGuestLogs(started.node, logsDir));
      return started;
    })(),
  );
  const [, { node, qmpSocket, child: qemu }] = await allSettledOrThrow([controlPlane, booted]);

  const handle = {
    pid: process.pid,
    dir,
    logsDir,
    netns,
    qmpSocket,
    agentSocket: join(dir, "agent.sock"),
    artifacts,
  };
  cleanUp.use(await startAgentRelay(node.agent, handle.agentSocket));
  writeLabHandle(handle);
  if (withControlPlane) {
    const wait = { timeoutMs: 600_000, intervalMs: 500, signal };
    const ready = Promise.all([
      waitForNode(kubectl, LAB_NETWORK.nodeName, {}, wait),
      waitForServiceAccount(kubectl, "default", wait),
    ]);
    await timed(progress, "node Ready", qemu.whileRunning(ready));
  }
  const resources = cleanUp.move();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopLab(handle, resources));
  return { handle, node, kubectl, logsDir, stop, [Symbol.asyncDispose]: stop };
}

async function stopLab(handle: LabHandle, resources: AsyncDisposableStack): Promise<void> {
  await resources.disposeAsync();
  const leftovers = ["etcd", "certs", "kubectl-cache", "lab.json", "agent.sock", ...nodeSockets];
  await Promise.all(leftovers.map((name) => rm(join(handle.dir, name), { recursive: true, force: true })));
}

async function timed<T>(progress: Progress, title: string, work: Promise<T>): Promise<T> {
  const step = progress.step(title);
  try {
    const value = await work;
    step.done();
    return value;
  } catch (error) {
    step.done("failed");
    throw error;
  }
}

/** All values, or the first error once every one has settled, so that no start is still under way during the clean-up. */
async function allSettledOrThrow<A, B>(work: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
