// Brings what is offered in line with a scan: one server for each resource, started, updated or stopped.
import { HostError, SystemCallError } from "../host/errors.ts";
import type { Log } from "../host/log.ts";
import { keepRegistered, type RegistrationStatus } from "../kubelet/registration.ts";
import {
  type AdvertisedDetails,
  type AdvertisedPools,
  formatAdvertisedPools,
  writeAdvertisedPools,
} from "../sriov/advertised-pools.ts";
import { formatSocketName } from "../kubelet/socket-name.ts";
import { listAttached } from "../sriov/attachment-store.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import type { DevicePluginHost } from "./changes.ts";
import { logChanges } from "./change-log.ts";
import { CdiFiles } from "./cdi-files.ts";
import { DeviceInfoFiles } from "./device-info-files.ts";
import type { DeviceTree, OfferedDevice } from "./device-tree.ts";
import type { DevicePluginMetrics } from "./metrics.ts";
import { ResourceServer } from "./resource-server.ts";
import type { Scan } from "./scanner.ts";

interface OfferedResource {
  readonly server: ResourceServer;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  status: RegistrationStatus;
}

/** Picking a VF without the kubelet takes this lock too. Holders are quick; whoever hangs must not keep devices from the kubelet. */
const pickTimeoutMs = 2_000;

/** The resources on offer, from their first scan to `stop`. One for each run of the device plugin. */
export class Manager {
  readonly #host: DevicePluginHost;
  readonly #metrics: DevicePluginMetrics;
  readonly #log: Log;
  readonly #infoFiles: DeviceInfoFiles;
  readonly #cdi: CdiFiles | undefined;
  readonly #resources = new Map<string, OfferedResource>();
  #tree: DeviceTree | undefined;
  /** Resources that are not offered while the CNI plugin could not know their limits. */
  #withheld: string[] = [];
  /** Why the list could not be written last; "" when it could. */
  #publishProblem = "";

  constructor(
    host: DevicePluginHost,
    metrics: DevicePluginMetrics,
    log: Log,
    { useCdi }: { readonly useCdi: boolean },
  ) {
    this.#host = host;
    this.#metrics = metrics;
    this.#log = log;
    this.#infoFiles = new DeviceInfoFiles(host, log);
    this.#cdi = useCdi ? new CdiFiles(host, log) : undefined;
  }

  /** Offers what `tree` says. Resources without a difference, and their streams, are not touched. */
  async apply(tree: Scan): Promise<void> {
    const isPublished = await this.#publishPools(tree);
    this.#cdi?.follow(tree);
    this.#withheld = [];
    for (const [name, { pool, devices }] of tree.resources) {
      const running = this.#resources.get(name);
      if (running === undefined && !isPublished && pool.rules.limits !== undefined) {
        this.#withheld.push(name);
        continue;
      }
      const { server } = running ?? this.#start(pool);
      server.offer(pool, devices);
    }
    const gone = [...this.#resources.keys()].filter((name) => !tree.resources.has(name));
    await Promise.all(gone.map((name) => this.#stop(name)));
    this.#infoFiles.follow(tree);
    logChanges(this.#log, this.#tree, tree);
    this.#metrics.follow(tree);
    this.#tree = tree;
  }

  /** The resources that the kubelet does not hold, each with what is being waited for; `undefined` when there is none. */
  whyNotReady(): string | undefined {
    if (this.#tree === undefined) return "the devices of the node were not read yet";
    const waiting = [...this.#resources].filter(([, { status }]) => !status.isRegistered);
    const reasons = [
      ...waiting.map(([name, { status }]) => `${name}: ${status.reason}`),
      ...this.#withheld.map((name) => `${name}: its limits cannot be written to ${this.#host.paths.pools}`),
    ];
    return reasons.length === 0 ? undefined : reasons.join("; ");
  }

  /** Whether a resource is not offered because its limits could not be written down. */
  get isWithholding(): boolean {
    return this.#withheld.length > 0;
  }

  /** Ends all streams and removes the sockets: a deregistration, so that no kubelet dials what is not there. */
  async stop(): Promise<void> {
    await Promise.all([...this.#resources.keys()].map((name) => this.#stop(name)));
  }

  #start(pool: ResourcePool): OfferedResource {
    const { name } = pool;
    const log = this.#log.child({ resource: name });
    const host = this.#host;
    const listRecords = (): ReadonlySet<string> => new Set(listAttached(host));
    const onAllocate = (devices: readonly OfferedDevice[]): void => this.#infoFiles.give(name, devices);
    const [cdi, metrics] = [this.#cdi, this.#metrics];
    const server = new ResourceServer({ host, pool, listRecords, onAllocate, cdi, metrics, log });
    const plugin = {
      resource: name,
      socketName: formatSocketName(name),
      handlers: server.handlers,
    };
    const stop = new AbortController();
    const onStatus = (status: RegistrationStatus): void => this.#noteStatus(name, status);
    const resource = {
      server,
      stop,
      ended: Promise.resolve(),
      status: { isRegistered: false, reason: "starting" },
    };
    this.#resources.set(name, resource);
    resource.ended = keepRegistered(host, plugin, { signal: stop.signal, log, onStatus });
    return resource;
  }

  async #stop(name: string): Promise<void> {
    const resource = this.#resources.get(name);
    resource?.stop.abort();
    await resource?.ended;
    this.#resources.delete(name);
    this.#metrics.registered.remove({ resource: name });
  }

  #noteStatus(name: string, status: RegistrationStatus): void {
    const resource = this.#resources.get(name);
    if (resource === undefined) return;
    if (status.isRegistered && !resource.status.isRegistered) {
      this.#log.info(
        { resource: name, devices: resource.server.devices.size },
        "the kubelet holds the device list",
      );
      this.#metrics.registrations.inc({ resource: name });
    }
    if (!status.isRegistered && resource.status.isRegistered && !resource.stop.signal.aborted) {
      this.#log.warn({ resource: name, reason: status.reason }, "the kubelet dropped the device list");
    }
    this.#metrics.registered.set({ resource: name }, status.isRegistered ? 1 : 0);
    resource.status = status;
  }

  /** What stands there now; what cannot be read is to be written anew. */
  #readPools(): string | undefined {
    try {
      return this.#host.files.readText(this.#host.paths.pools);
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }

  /** Written before the kubelet sees the list. A disk that is full or read-only must not keep devices from the kubelet, except those with limits. */
  async #publishPools(tree: DeviceTree): Promise<boolean> {
    const { pools, details } = toAdvertised(tree);
    const text = formatAdvertisedPools(pools, details);
    try {
      if (this.#readPools() === text) return true;
      using _lock = await this.#host.locks.acquire("pick", { timeoutMs: pickTimeoutMs });
      writeAdvertisedPools(this.#host, pools, details);
      this.#publishProblem = "";
      return true;
    } catch (error) {
      // The message names a temporary file, another one each time.
      const problem = error instanceof SystemCallError ? error.errno : String(error);
      if (problem !== this.#publishProblem) this.#log.error({ error }, "cannot write down what is offered");
      this.#publishProblem = problem;
      return false;
    }
  }
}

function toAdvertised({ resources, leftOut }: DeviceTree): {
  readonly pools: AdvertisedPools;
  readonly details: AdvertisedDetails;
} {
  const pools = [...resources].map(([name, { devices }]) => [name, [...devices.keys()]] as const);
  const problems = [...resources.values()].flatMap(({ devices }) =>
    [...devices].flatMap(([id, { problem }]) => (problem === undefined ? [] : [[id, problem] as const])),
  );
  const reasons = [...leftOut].map(([id, { reason }]) => [id, reason] as const);
  const rules = [...resources].flatMap(([name, { pool }]) =>
    hasRules(pool) ? [[name, pool.rules] as const] : [],
  );
  return {
    pools: new Map(pools),
    details: { unhealthy: new Map(problems), leftOut: new Map(reasons), rules: new Map(rules) },
  };
}

function hasRules({ rules: { limits, tuning } }: ResourcePool): boolean {
  return limits !== undefined || tuning !== undefined;
}
