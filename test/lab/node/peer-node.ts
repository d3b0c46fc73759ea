// A second node in a running lab, for traffic between machines: its PFs are on one switch with those of the first.
import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { addPeerTap } from "../cluster/network.ts";
import { collectGuestLogs } from "../guest-logs.ts";
import type { Lab } from "../lab.ts";
import type { LabNode } from "./lab-node.ts";
import { bootNode, nodeSockets, type StartedNode } from "./start-node.ts";

export interface PeerNode extends AsyncDisposable {
  readonly node: LabNode;
}

/** Enough for what makes load. */
const memoryMb = 1024;

/** Boots the node and puts a wire between the two; its logs lie in `peer/logs` of the lab's folder. A lab has one at most. */
export async function startPeerNode(
  { handle, node: first }: Pick<Lab, "handle" | "node">,
  signal: AbortSignal,
): Promise<PeerNode> {
  const dir = join(handle.dir, "peer");
  const logsDir = join(dir, "logs");
  mkdirSync(logsDir, { recursive: true });
  const { netns, artifacts } = handle;
  const wires = [join(dir, "wire-1"), join(dir, "wire-2")] as const;
  const started: StartedNode[] = [];
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(async () => {
    for (const { node } of started) node[Symbol.dispose]();
    await Promise.all(started.map(({ child }) => child.kill()));
    const leftovers = [...nodeSockets.map((name) => join(dir, name)), ...wires];
    await Promise.all(leftovers.map((path) => rm(path, { force: true })));
  });
  await addPeerTap(netns);
  const { node } = await bootNode({
    artifacts,
    dir,
    logsDir,
    netns,
    memoryMb,
    numVfs: [0, 0],
    isPeer: true,
    signal,
    started: (each) => started.push(each),
  });
  cleanUp.defer(() => collectGuestLogs(node, logsDir));
  await plugIn(first, wires[0], wires[1]);
  await plugIn(node, wires[1], wires[0]);
  const resources = cleanUp.move();
  return { node, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** One end of a wire that leads out of the switch of the node's PFs. Source: QEMU's QMP reference, NetdevDgramOptions. */
async function plugIn(node: LabNode, local: string, remote: string): Promise<void> {
  const [from, to] = [local, remote].map((path) => ({ type: "unix", path }));
  await node.qmp(async (qmp) => {
    await qmp.execute("netdev_add", { type: "dgram", id: "wire", local: from, remote: to });
    await qmp.execute("netdev_add", { type: "hubport", id: "wire-port", hubid: 0, netdev: "wire" });
  });
}
