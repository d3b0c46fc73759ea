// Brings what is offered in line with a scan: one server for each resource, started, updated or stopped.
import type { Log } from "../host/log.ts";
import { keepRegistered, type RegistrationStatus } from "../kubelet/registration.ts";
import { formatSocketName } from "../kubelet/socket-name.ts";
import { listAttached } from "../sriov/attachment-store.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import type { DevicePluginHost } from "./changes.ts";
import { logChanges } from "./change-log.ts";
import { CdiFiles } from "./cdi-files.ts";
import { DeviceInfoFiles } from "./device-info-files.ts";
import type { DeviceTree, OfferedDevice } from "./device-tree.ts";
import type { DevicePluginMetrics } from "./metrics.ts";
import { PoolsFile } from "./pools-file.ts";
import { ResourceServer } from "./resource-server.ts";
import type { Scan } from "./scanner.ts";

interface OfferedResource {
  readonly server: ResourceServer;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  status: RegistrationStatus;
}

/** The resources on offer, from their first scan to `stop`. One for each run of the device plugin. */
export class Manager {
  readonly #host: DevicePluginHost;
  readonly #metrics: DevicePluginMetrics;
  readonly #log: Log;
  readonly #poolsFile: PoolsFile;
  readonly #infoFiles: DeviceInfoFiles;
  readonly #cdi: CdiFiles | undefined;
  readonly #resources = new Map<string, OfferedResource>();
  #tree: DeviceTree | undefined;
  /** Resources whose limits the CNI plugin does not know: none of them is offered that was not before. */
  #unwritten: ReadonlySet<string> = new Set();

  constructor(
    host: DevicePluginHost,
    metrics: DevicePluginMetrics,
    log: Log,
    { useCdi }: { readonly useCdi: boolean },
  ) {
    this.#host = host;
    this.#metrics = metrics;
    this.#log = log;
    this.#poolsFile = new PoolsFile(host, log);
    this.#infoFiles = new DeviceInfoFiles(host, log);
    this.#cdi = useCdi ? new CdiFiles(host, log) : undefined;
  }

  /** Offers what `tree` says. Resources without a difference, and their streams, are not touched. */
  async apply(tree: Scan): Promise<void> {
    // Before the kubelet sees the list.
    this.#unwritten = await this.#poolsFile.write(tree);
    this.#cdi?.follow(tree);
    for (const [name, { pool, devices }] of tree.resources) {
      const running = this.#resources.get(name);
      if (running === undefined && this.#unwritten.has(name)) continue;
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
      ...[...this.#unwritten].map(
        (name) => `${name}: its limits cannot be written to ${this.#host.paths.pools}`,
      ),
    ];
    return reasons.length === 0 ? undefined : reasons.join("; ");
  }

  /** Whether limits of a resource could not be written down yet. */
  get isBehind(): boolean {
    return this.#unwritten.size > 0;
  }

  /** Calls `onLoss` when what is offered does not stand in its file any more, until disposed: `apply` writes it anew. */
  watch(onLoss: () => void): Disposable {
    return this.#poolsFile.watch(onLoss);
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
}
