// Tells when the kubelet gave CPUs to a pod alone or took them back: its CPU manager writes down each change.

import { dirname, join } from "node:path";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { resolveInRoot } from "../sriov/root-path.ts";

type Eyes = Pick<Host, "files" | "paths">;

/**
 * Compares what the kubelet wrote with the look before, the first time with the start. Read below the host's root, as a
 * container has no such file; not by inotify, as Bun's `fs.watch` takes /proc/1/root for the container's own root.
 */
export class CpuManagerState {
  readonly #host: Eyes;
  #text: string | undefined;

  constructor(host: Eyes) {
    this.#host = host;
    this.#text = readState(host);
  }

  /** Whether it is another one than at the call before. Costs a few short reads. */
  hasChanged(): boolean {
    const before = this.#text;
    this.#text = readState(this.#host) ?? before;
    return this.#text !== before;
  }
}

/**
 * `undefined` where it can't be read: the poll follows the CPUs then. It lies in the kubelet's --root-dir, as the folder of
 * PodResources' socket does. Source: kubernetes pkg/kubelet/cm/cpumanager/cpu_manager.go, cpuManagerStateFileName.
 */
function readState({ files, paths }: Eyes): string | undefined {
  try {
    const folder = resolveInRoot(files, paths.hostRoot, "/var/lib/kubelet/pod-resources");
    if (folder === undefined) return undefined;
    return files.readText(join(paths.hostRoot, dirname(folder), "cpu_manager_state"));
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
