// Which pods have which CPUs, as the kubelet tells, or told last.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { SriovError } from "../sriov/errors.ts";
import { type PodCpus, readPodCpus } from "../sriov/pod-cpus.ts";

type Eyes = Pick<Host, "files" | "paths" | "clock">;

/** `cpus`: as the kubelet told last, undefined where it never did; `error`: why it does not tell now. */
export interface ToldCpus {
  readonly cpus: PodCpus | undefined;
  readonly error: unknown;
}

/** A pod that waits for its pins shall not wait for a kubelet that hangs. */
const timeoutMs = 1_000;

/**
 * Asks the kubelet at each call, and waits for it. One that hung the last time is asked beside, and `onAnswer` tells when it
 * answers. What it told a daemon before this one counts until then.
 */
export function createKubeletReader(host: Eyes, onAnswer: () => void): () => Promise<ToldCpus> {
  let told: ToldCpus = { cpus: readKnown(host), error: undefined };
  let isHanging = false;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    const wasHanging = isHanging;
    const startedMs = host.clock.monotonicMs();
    try {
      told = { cpus: (await askKubelet(host)) ?? told.cpus, error: undefined };
      isHanging = false;
    } catch (error) {
      told = { cpus: told.cpus, error };
      isHanging = host.clock.monotonicMs() - startedMs >= timeoutMs / 2;
    } finally {
      asking = undefined;
    }
    if (wasHanging && !isHanging) onAnswer();
  }

  return async () => {
    asking ??= ask();
    if (!isHanging) await asking;
    return told;
  };
}

// What can't be read tells nothing; the next one replaces it.
function readKnown(host: Eyes): PodCpus | undefined {
  try {
    return readPodCpus(host);
  } catch (error) {
    if (error instanceof HostError || error instanceof SriovError) return undefined;
    throw error;
  }
}

/** Undefined without a socket to ask at: no kubelet, or one that starts again. gRPC is loaded only for one. Throws ERR_POD_RESOURCES. */
async function askKubelet(host: Eyes): Promise<PodCpus | undefined> {
  if (host.files.stat(host.paths.kubelet.podResourcesSocket)?.kind !== "socket") return undefined;
  const { PodResources } = await import("../kubelet/pod-resources.ts");
  using kubelet = new PodResources(host, { timeoutMs });
  const [pods, { cpus: allocatable }] = await Promise.all([kubelet.list(), kubelet.getAllocatable()]);
  const exclusive = pods.flatMap(({ namespace, name, containers }) => {
    const own = [...new Set(containers.flatMap(({ cpus }) => cpus))].toSorted((a, b) => a - b);
    return own.length === 0 ? [] : [[`${namespace}/${name}`, own] as const];
  });
  return { exclusive: new Map(exclusive), allocatable };
}
