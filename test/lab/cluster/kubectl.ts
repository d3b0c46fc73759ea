// kubectl of the lab, as an administrator: always the real program, so that what the demo shows is what a user would see.
import { join } from "node:path";
import { execa, ExecaError } from "execa";
import { type LabArtifacts, PKI_FILES } from "../artifacts.ts";
import { inNetns } from "./network.ts";

export interface KubectlOptions {
  readonly artifacts: Pick<LabArtifacts, "kubeBinDir" | "pki">;
  readonly netns: string;
  /** Folder for kubectl's cache of what the API server offers. */
  readonly cacheDir: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly timeoutMs?: number;
}

export interface ExecTarget {
  readonly pod: string;
  readonly namespace?: string;
  readonly container?: string;
}

export interface Kubectl {
  /** The whole command line, for a person or a child process with a terminal. */
  readonly commandLine: readonly [string, ...string[]];
  /** Output without its last newline. Throws with the arguments and what kubectl said. */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  /** `run` with `-o json`, parsed; the caller names the fields it reads. */
  getJson<T>(args: readonly string[]): Promise<T>;
  /** Applies one or several objects, or text of a manifest. */
  apply(manifest: string | readonly object[]): Promise<string>;
  /** Output of a command inside a pod's container. */
  execInPod(target: ExecTarget, command: readonly string[], options?: RunOptions): Promise<string>;
  logs(target: ExecTarget, args?: readonly string[]): Promise<string>;
}

export function createKubectl(options: KubectlOptions): Kubectl {
  const { kubeBinDir, pki } = options.artifacts;
  const global = [`--kubeconfig=${join(pki, PKI_FILES.adminKubeconfig)}`, `--cache-dir=${options.cacheDir}`];
  const commandLine = inNetns(options.netns, join(kubeBinDir, "kubectl"), global);
  const run: Kubectl["run"] = async (args, { stdin = "", timeoutMs = 60_000 } = {}) => {
    const [command, ...before] = commandLine;
    try {
      const { stdout } = await execa(command, [...before, ...args], { input: stdin, timeout: timeoutMs });
      return stdout;
    } catch (cause) {
      throw new Error(`kubectl ${args.join(" ")}: ${reasonOf(cause)}`, { cause });
    }
  };
  return {
    commandLine,
    run,
    async getJson<T>(args: readonly string[]) {
      const parsed: T = JSON.parse(await run([...args, "-o", "json"]));
      return parsed;
    },
    async apply(manifest) {
      const text =
        typeof manifest === "string"
          ? manifest
          : JSON.stringify({ apiVersion: "v1", kind: "List", items: manifest });
      return await run(["apply", "-f", "-"], { stdin: text });
    },
    async execInPod(target, command, runOptions) {
      return await run(["exec", ...targetArguments(target), "--", ...command], runOptions);
    },
    async logs(target, args = []) {
      return await run(["logs", ...targetArguments(target), ...args]);
    },
  };
}

function targetArguments({ pod, namespace, container }: ExecTarget): readonly string[] {
  return [
    pod,
    ...(namespace === undefined ? [] : ["-n", namespace]),
    ...(container === undefined ? [] : ["-c", container]),
  ];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ExecaError)) return String(error);
  return error.timedOut ? error.shortMessage : String(error.stderr).trim() || error.shortMessage;
}
