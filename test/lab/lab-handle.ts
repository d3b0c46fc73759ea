// lab.json: what another process needs to use a running lab.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabArtifacts } from "./artifacts.ts";
import { createKubectl, type Kubectl } from "./cluster/kubectl.ts";
import { LabNode } from "./node/lab-node.ts";

export interface LabHandle {
  /** The process that started the lab; the lab ends with it. */
  readonly pid: number;
  readonly dir: string;
  readonly logsDir: string;
  readonly netns: string;
  readonly agentSocket: string;
  readonly qmpSocket: string;
  readonly artifacts: LabArtifacts;
}

export interface OpenLab extends Disposable {
  readonly handle: LabHandle;
  readonly node: LabNode;
  readonly kubectl: Kubectl;
}

export function writeLabHandle(handle: LabHandle): void {
  const file = join(handle.dir, "lab.json");
  writeFileSync(`${file}.new`, `${JSON.stringify(handle, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** Opens the lab that another process runs in `dir`. Throws when none does. */
export async function openLab(dir: string): Promise<OpenLab> {
  const handle: LabHandle = JSON.parse(readFileSync(join(dir, "lab.json"), "utf8"));
  const node = await LabNode.connect(handle);
  const kubectl = createKubectl({
    artifacts: handle.artifacts,
    netns: handle.netns,
    cacheDir: join(dir, "kubectl-cache"),
  });
  return { handle, node, kubectl, [Symbol.dispose]: () => node[Symbol.dispose]() };
}
