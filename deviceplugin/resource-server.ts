// The device plugin service of one resource: its list goes to every stream the kubelet holds, errors become gRPC status here.
import { type sendUnaryData, type ServerWritableStream, status } from "@grpc/grpc-js";

import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import type {
  AllocateRequest,
  AllocateResponse,
  Device,
  DevicePluginServer,
  Empty,
  ListAndWatchResponse,
  PreferredAllocationRequest,
  PreferredAllocationResponse,
} from "../kubelet/gen/deviceplugin.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { allocateDevices } from "./allocation.ts";
import type { CdiFiles } from "./cdi-files.ts";
import type { DeviceList, OfferedDevice } from "./device-tree.ts";
import { AllocationError } from "./errors.ts";
import type { DevicePluginMetrics } from "./metrics.ts";
import { preferDevices } from "./preferred-allocation.ts";

export interface ResourceServerOptions {
  readonly host: Pick<Host, "files" | "paths">;
  readonly pool: ResourcePool;
  /** Devices that a record says are in use. */
  readonly listRecords: () => ReadonlySet<string>;
  /** Called with devices before a container is given them. */
  readonly onAllocate: (devices: readonly OfferedDevice[]) => void;
  /** Where device nodes go by CDI. */
  readonly cdi: CdiFiles | undefined;
  readonly metrics: DevicePluginMetrics;
  readonly log: Log;
}

type ListStream = ServerWritableStream<Empty, ListAndWatchResponse>;

const options = { preStartRequired: false, getPreferredAllocationAvailable: true };

/** Answers the kubelet for one resource; `handlers` are its gRPC methods. Source: deviceplugin/v1beta1/api.proto. */
export class ResourceServer {
  readonly handlers: DevicePluginServer;
  readonly #options: ResourceServerOptions;
  #pool: ResourcePool;
  readonly #streams = new Set<ListStream>();
  #devices: DeviceList = new Map();

  constructor(serverOptions: ResourceServerOptions) {
    this.#options = serverOptions;
    this.#pool = serverOptions.pool;
    this.handlers = {
      getDevicePluginOptions: (_call, done) => done(null, options),
      listAndWatch: (stream) => this.#watch(stream),
      allocate: (call, done) => this.#allocate(call.request, done),
      getPreferredAllocation: (call, done) => this.#prefer(call.request, done),
      preStartContainer: (_call, done) => done(null, {}),
    };
  }

  get devices(): DeviceList {
    return this.#devices;
  }

  /** Offers `devices` from now on, by the rules of `pool`. The whole list is sent, and only when the kubelet would see a difference. */
  offer(pool: ResourcePool, devices: DeviceList): void {
    this.#pool = pool;
    const before = JSON.stringify(toMessage(this.#devices));
    this.#devices = devices;
    const message = toMessage(devices);
    if (JSON.stringify(message) === before) return;
    for (const stream of this.#streams) stream.write(message);
  }

  #watch(stream: ListStream): void {
    this.#streams.add(stream);
    stream.once("close", () => this.#streams.delete(stream));
    stream.write(toMessage(this.#devices));
  }

  /** An error here would fail the pod: whatever the kubelet offers, it gets some of it. */
  #prefer(request: PreferredAllocationRequest, done: sendUnaryData<PreferredAllocationResponse>): void {
    const withRecord = this.#readRecords();
    const containerResponses = request.containerRequests.map((one) => {
      const known = [...this.#devices.values()];
      const ids = new Set(one.availableDeviceIDs);
      const available = known
        .filter(({ address }) => ids.has(address))
        .map(({ address, pf, numaNode }) => ({
          id: address,
          pf,
          numaNode,
          hasRecord: withRecord.has(address),
        }));
      const mustInclude = new Set(one.mustIncludeDeviceIDs);
      const deviceIDs = preferDevices(this.#pool.allocation, {
        available,
        mustInclude,
        size: one.allocationSize,
      });
      return { deviceIDs };
    });
    done(null, { containerResponses });
  }

  #readRecords(): ReadonlySet<string> {
    try {
      return this.#options.listRecords();
    } catch (error) {
      this.#options.log.error({ error }, "cannot read which devices are in use");
      return new Set();
    }
  }

  #allocate(request: AllocateRequest, done: sendUnaryData<AllocateResponse>): void {
    const { host, metrics, log, onAllocate, cdi } = this.#options;
    const offered = { pool: this.#pool, devices: this.#devices };
    const resource = this.#pool.name;
    try {
      const containerResponses = request.containerRequests.map(({ devicesIds }) =>
        allocateDevices(host, offered, devicesIds, cdi),
      );
      const ids = request.containerRequests.flatMap(({ devicesIds }) => devicesIds);
      onAllocate([...this.#devices.values()].filter(({ address }) => ids.includes(address)));
      metrics.allocations.inc({ resource }, ids.length);
      log.info({ pciAddresses: ids }, "allocated");
      done(null, { containerResponses });
    } catch (error) {
      const refusal = error instanceof AllocationError ? error : undefined;
      metrics.refusals.inc({ resource, reason: refusal?.reason ?? "error" });
      log.error({ error }, "refused an allocation");
      const code = refusal === undefined ? status.INTERNAL : status.FAILED_PRECONDITION;
      done({ code, details: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** The complete list, as every message of the stream must be. */
function toMessage(devices: DeviceList): ListAndWatchResponse {
  return { devices: [...devices.values()].map((device) => toWire(device)) };
}

/** An unknown NUMA node is left out: -1 is no node of the kubelet's. */
function toWire({ address, numaNode, problem }: OfferedDevice): Device {
  const topology = numaNode === undefined ? undefined : { nodes: [{ ID: numaNode }] };
  return { ID: address, health: problem === undefined ? "Healthy" : "Unhealthy", topology };
}
