// The kubelet's PodResources API: which devices and CPUs its pods have. Loads gRPC: whoever starts often imports it lazily.
import { type ClientUnaryCall, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";

import type { Host } from "../host/host.ts";
import type { DevicesByResource } from "./checkpoint.ts";
import { PodResourcesError } from "./errors.ts";
import {
  type ContainerDevices,
  type PodResources as PodResourcesMessage,
  PodResourcesListerClient,
} from "./gen/podresources.ts";

/** A pod's containers with their devices and exclusive CPUs. Ordinary init containers are left out by the kubelet, and there is no UID. */
export interface PodAllocation {
  readonly namespace: string;
  readonly name: string;
  readonly containers: readonly {
    readonly name: string;
    readonly devices: DevicesByResource;
    readonly cpus: readonly number[];
  }[];
}

/** Healthy devices, in use or not, and the CPUs that pods can have. */
export interface AllocatableResources {
  readonly devices: DevicesByResource;
  readonly cpus: readonly number[];
}

export interface PodResourcesOptions {
  readonly timeoutMs?: number;
  /** Ends calls that still wait. */
  readonly signal?: AbortSignal;
}

type Callback<Answer> = (error: ServiceError | null, answer: Answer) => void;
type Call<Answer> = (
  metadata: Metadata,
  options: { readonly deadline: number },
  done: Callback<Answer>,
) => ClientUnaryCall;

const maxMessageBytes = 16 * 1024 * 1024;
/** The kubelet's token bucket: 100 calls a second, 10 at once, over all clients. */
const retryMs = { least: 20, most: 200 };

/**
 * A connection to this node's PodResources socket. Each call waits at most `timeoutMs` (default 10 s), calls refused by the
 * rate limit are repeated within that time. Throws ERR_POD_RESOURCES. Source: podresources/v1/api.proto.
 */
export class PodResources implements Disposable {
  readonly #host: Pick<Host, "paths" | "clock">;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #client: PodResourcesListerClient;

  constructor(host: Pick<Host, "paths" | "clock">, { timeoutMs = 10_000, signal }: PodResourcesOptions = {}) {
    this.#host = host;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#client = new PodResourcesListerClient(
      `unix://${host.paths.kubelet.podResourcesSocket}`,
      credentials.createInsecure(),
      { "grpc.max_receive_message_length": maxMessageBytes },
    );
  }

  async list(): Promise<readonly PodAllocation[]> {
    const answer = await this.#ask("List", this.#client.list.bind(this.#client, {}));
    return answer.podResources.map((pod) => toPodAllocation(pod));
  }

  /** `undefined` when the kubelet knows no such pod. One that has no Get (beta, can be switched off) is asked for its list. */
  async get(namespace: string, name: string): Promise<PodAllocation | undefined> {
    const request = { podName: name, podNamespace: namespace };
    try {
      const answer = await this.#ask("Get", this.#client.get.bind(this.#client, request));
      return answer.podResources === undefined ? undefined : toPodAllocation(answer.podResources);
    } catch (error) {
      if (isUnknownPod(error)) return undefined;
      if (!isWithoutMethod(error)) throw error;
      return (await this.list()).find((pod) => pod.namespace === namespace && pod.name === name);
    }
  }

  async getAllocatable(): Promise<AllocatableResources> {
    const answer = await this.#ask(
      "GetAllocatableResources",
      this.#client.getAllocatableResources.bind(this.#client, {}),
    );
    return { devices: mergeDevices(answer.devices), cpus: answer.cpuIds };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #ask<Answer>(method: string, call: Call<Answer>): Promise<Answer> {
    const { clock, paths } = this.#host;
    const endMs = clock.nowMs() + this.#timeoutMs;
    for (;;) {
      const outcome = await new Promise<Answer | PodResourcesError>((resolve) => {
        const running = call(new Metadata(), { deadline: endMs }, (error, answer) => {
          this.#signal?.removeEventListener("abort", cancel);
          const cause = error;
          const socket = paths.kubelet.podResourcesSocket;
          resolve(error === null ? answer : new PodResourcesError(method, socket, error.message, { cause }));
        });
        const cancel = (): void => running.cancel();
        if (this.#signal?.aborted === true) cancel();
        this.#signal?.addEventListener("abort", cancel, { once: true });
      });
      if (!(outcome instanceof PodResourcesError)) return outcome;
      const pauseMs = retryMs.least + Math.random() * (retryMs.most - retryMs.least);
      const isRateLimited = (outcome.cause as ServiceError).code === status.RESOURCE_EXHAUSTED;
      if (this.#signal?.aborted === true || !isRateLimited || clock.nowMs() + pauseMs >= endMs) throw outcome;
      await clock.sleep(pauseMs);
    }
  }
}

/** The kubelet answers UNKNOWN, not NOT_FOUND. */
function isUnknownPod(error: unknown): boolean {
  if (!(error instanceof PodResourcesError)) return false;
  const { code, details } = error.cause as ServiceError;
  return code === status.NOT_FOUND || (code === status.UNKNOWN && details.includes("not found"));
}

/** Source: kubelet, pkg/kubelet/apis/podresources/server_v1.go, for a feature gate that is off. */
function isWithoutMethod(error: unknown): boolean {
  if (!(error instanceof PodResourcesError)) return false;
  const { code, details } = error.cause as ServiceError;
  return code === status.UNIMPLEMENTED || (code === status.UNKNOWN && details.includes("method disabled"));
}

function toPodAllocation(pod: PodResourcesMessage): PodAllocation {
  const containers = pod.containers.map(({ name, devices, cpuIds }) => ({
    name,
    devices: mergeDevices(devices),
    cpus: cpuIds,
  }));
  return { namespace: pod.namespace, name: pod.name, containers };
}

/** The kubelet sends one entry for each resource and NUMA node. */
function mergeDevices(entries: readonly ContainerDevices[]): DevicesByResource {
  const merged = new Map<string, readonly string[]>();
  for (const { resourceName, deviceIds } of entries) {
    merged.set(resourceName, [...new Set([...(merged.get(resourceName) ?? []), ...deviceIds])]);
  }
  return merged;
}
