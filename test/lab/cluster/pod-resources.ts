// The kubelet's PodResources API of the lab's node, for a client outside it: the guest's socket, forwarded to one on this side.
import { once } from "node:events";
import { mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { createClock } from "../../../host/clock.ts";
import { createPaths } from "../../../host/paths.ts";
import { PodResources } from "../../../kubelet/pod-resources.ts";
import { LAB_NETWORK } from "../artifacts.ts";
import type { LabNode } from "../node/lab-node.ts";
import { inNetns } from "./network.ts";

const port = 7410;

export interface ForwardedPodResources extends AsyncDisposable {
  /** A new connection each time: the kubelet may have been restarted since the last one. */
  connect(): PodResources;
}

/** Forwards the node's PodResources socket as long as the value lives; the node's own end stays until its next boot. */
export async function forwardPodResources(node: LabNode, netns: string): Promise<ForwardedPodResources> {
  await node.run(`systemctl is-active --quiet lab-pod-resources.socket ||
    systemd-run --quiet --unit=lab-pod-resources --socket-property=ListenStream=${LAB_NETWORK.nodeAddress}:${port} \\
      /usr/lib/systemd/systemd-socket-proxyd /var/lib/kubelet/pod-resources/kubelet.sock`);
  const root = mkdtempSync(join(tmpdir(), "virtfn-"));
  const paths = createPaths(root);
  mkdirSync(dirname(paths.kubelet.podResourcesSocket), { recursive: true });
  const [command, ...args] = inNetns(netns, process.execPath, [
    fileURLToPath(import.meta.url),
    paths.kubelet.podResourcesSocket,
  ]);
  const forwarder = execa(command, args, { stderr: "inherit", reject: false });
  await Promise.race([once(forwarder.stdout, "data"), forwarder]);
  const clock = createClock({ readText: () => undefined });
  return {
    connect: () => new PodResources({ paths, clock }),
    async [Symbol.asyncDispose]() {
      forwarder.kill("SIGKILL");
      await forwarder;
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** What runs in the lab's namespace: a unix socket (its name is good outside too) for the node's TCP port. */
function forward(socket: string): void {
  const server = createServer((client) => {
    const toNode = connect(port, LAB_NETWORK.nodeAddress);
    const close = (): void => void [client, toNode].map((one: Socket) => one.destroy());
    for (const one of [client, toNode]) one.on("error", close).on("close", close);
    client.pipe(toNode).pipe(client);
  });
  server.listen(socket, () => process.stdout.write("ready\n"));
}

if (import.meta.main) forward(process.argv[2] ?? "");
