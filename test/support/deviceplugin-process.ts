// A running device plugin on a fixture machine, as a process of its own.
import { join } from "node:path";

import { sendUevent } from "./folder-uevents.ts";
import { waitFor } from "./wait-for.ts";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface DevicePluginProcessOptions {
  /** The kubelet's folder to register through, where both are there. */
  readonly way?: string;
  readonly args?: readonly string[];
  /** As in its container: no capability, and nothing can be written outside the machine's folders. */
  readonly isConfined?: boolean;
  /** Path of the network namespace that is the node's; without it this process's. */
  readonly netns?: string;
  /** The API server that a container would find: "https://127.0.0.1:PORT", and the folder of its credentials. */
  readonly cluster?: { readonly server: string; readonly credentials: string };
}

const confineScript = `
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro /
shift
exec setpriv --bounding-set -all --inh-caps -all --no-new-privs "$@"
`;

const credentialsScript = `
set -e
mount -t tmpfs none /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
mount --bind "$1" /run/secrets/kubernetes.io/serviceaccount
shift
exec "$@"
`;

/** The process; disposing it kills it. Its log lines are collected. */
export class DevicePluginProcess implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #root: string;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;

  constructor(root: string, options: DevicePluginProcessOptions = {}) {
    const { way = "plugins_registry", args = ["--listen", "off"], isConfined = false } = options;
    const { netns, cluster } = options;
    this.#root = root;
    const entry = join(import.meta.dirname, "deviceplugin-entry.ts");
    const command = [process.execPath, entry, root, way, ...args];
    const unshare = ["unshare", "--mount", "sh", "-c"];
    const inMounts = (script: string, folder: string) => [...unshare, script, "sh", folder];
    const confine = isConfined ? inMounts(confineScript, root) : [];
    const login = cluster === undefined ? [] : inMounts(credentialsScript, cluster.credentials);
    const enter = netns === undefined ? [] : ["nsenter", `--net=${netns}`];
    const { hostname, port } = new URL(cluster?.server ?? "https://none");
    const found = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    this.#child = Bun.spawn([...enter, ...login, ...confine, ...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
      env: { ...process.env, ...(cluster === undefined ? {} : found) },
    });
    void this.#collect();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Sends the signal and waits for the end; the exit code, `null` when killed. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    this.#child.kill(signal);
    await this.#child.exited;
    return this.#child.exitCode;
  }

  /** Waits until it has ended by itself; its exit code. */
  async waitForEnd(): Promise<number> {
    return this.#child.exited;
  }

  /** What the kernel does after a change of PCI devices. */
  sendUevent(): void {
    sendUevent(this.#root, "pci");
  }

  async waitForLine(message: string, timeoutMs?: number): Promise<LogLine> {
    await waitFor(
      `the log line "${message}"`,
      () => this.lines.some(({ msg }) => msg === message),
      timeoutMs,
    );
    return this.lines.find(({ msg }) => msg === message) as LogLine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }

  async #collect(): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines.map((line) => JSON.parse(line) as LogLine));
    }
  }
}
