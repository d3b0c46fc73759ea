// The kubelet's side of device plugins, with its habits and its traps, on the folders below a root.
import {
  type ClientReadableStream,
  credentials,
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  status,
} from "@grpc/grpc-js";
import * as fs from "node:fs";
import { join } from "node:path";

import {
  type AllocateResponse,
  type Device,
  DevicePluginClient,
  type Empty,
  type ListAndWatchResponse,
  type PreferredAllocationResponse,
  type RegisterRequest,
  type RegistrationServer,
  RegistrationService,
} from "../../kubelet/gen/deviceplugin.ts";
import { type PluginInfo, RegistrationClient } from "../../kubelet/gen/pluginregistration.ts";
import { patienceMs, waitFor } from "./wait-for.ts";

interface Endpoint {
  readonly client: DevicePluginClient;
  readonly stream: ClientReadableStream<ListAndWatchResponse>;
  devices: readonly Device[] | undefined;
  messages: number;
  isDropped: boolean;
}

/** How long the kubelet's reconciler takes at most to act on a change of plugins_registry/. */
const reconcileMs = 1_000;
const getInfoMs = 1_000;

/** A kubelet. Everything it holds is given up by `stop`, as by SIGTERM: its socket file stays. */
export class FakeKubelet {
  /** Registrations that came while the stream of an earlier one was open: kubelets up to 1.36 lose both. */
  liveRegistrations = 0;
  registrations = 0;
  readonly #folder: string;
  readonly #registry: string;
  readonly #endpoints = new Map<string, Endpoint>();
  #server: Server | undefined;
  #reconciler: ReturnType<typeof setInterval> | undefined;
  readonly #seen = new Map<string, { readonly identity: string; readonly resource: string }>();

  constructor(root: string) {
    this.#folder = join(root, "var/lib/kubelet/device-plugins");
    this.#registry = join(root, "var/lib/kubelet/plugins_registry");
  }

  /** Makes the folder, unlinks every socket in it, listens; looks into plugins_registry/ where that exists. */
  async start(): Promise<void> {
    fs.mkdirSync(this.#folder, { recursive: true, mode: 0o750 });
    for (const name of fs.readdirSync(this.#folder)) {
      if (fs.lstatSync(join(this.#folder, name)).isSocket()) fs.unlinkSync(join(this.#folder, name));
    }
    this.#server = new Server();
    this.#server.addService(RegistrationService, {
      register: (call, done) => void this.#register(call.request, done),
    } satisfies RegistrationServer);
    const server = this.#server;
    const address = `unix://${join(this.#folder, "kubelet.sock")}`;
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    this.#reconciler = setInterval(() => void this.#reconcile(), reconcileMs);
  }

  stop(): void {
    clearInterval(this.#reconciler);
    for (const resource of this.#endpoints.keys()) this.#drop(resource);
    this.#seen.clear();
    if (this.#server === undefined) return;
    const socket = join(this.#folder, "kubelet.sock");
    fs.renameSync(socket, `${socket}.kept`);
    this.#server.forceShutdown();
    fs.renameSync(`${socket}.kept`, socket);
  }

  /** The last complete list of the resource; `undefined` while no stream is open. */
  devices(resource: string): readonly Device[] | undefined {
    return this.#endpoints.get(resource)?.devices;
  }

  /** How many lists came on the resource's open stream. */
  messages(resource: string): number {
    return this.#endpoints.get(resource)?.messages ?? 0;
  }

  /** Waits until the resource has this many devices; the milliseconds it took. */
  async waitForDevices(resource: string, count: number, timeoutMs = patienceMs): Promise<number> {
    const startMs = performance.now();
    await waitFor(
      `${count} devices of ${resource}`,
      () => this.devices(resource)?.length === count,
      timeoutMs,
    );
    return performance.now() - startMs;
  }

  /** What a kubelet does on an internal failure: the stream ends, and it never redials. */
  cancelStream(resource: string): void {
    this.#drop(resource);
  }

  async allocate(resource: string, ids: readonly string[]): Promise<AllocateResponse> {
    const endpoint = this.#endpoints.get(resource);
    if (endpoint === undefined) throw new Error(`${resource} is not registered`);
    return new Promise((resolve, reject) => {
      endpoint.client.allocate({ containerRequests: [{ devicesIds: ids }] }, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  }

  /** The devices that the plugin would take of `available`. */
  async prefer(resource: string, available: readonly string[], size: number): Promise<readonly string[]> {
    const endpoint = this.#endpoints.get(resource);
    if (endpoint === undefined) throw new Error(`${resource} is not registered`);
    const request = { availableDeviceIDs: available, mustIncludeDeviceIDs: [], allocationSize: size };
    const answer = await new Promise<PreferredAllocationResponse>((resolve, reject) => {
      endpoint.client.getPreferredAllocation({ containerRequests: [request] }, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
    return answer.containerResponses[0]?.deviceIDs ?? [];
  }

  async #register(
    { version, resourceName, endpoint }: RegisterRequest,
    done: sendUnaryData<Empty>,
  ): Promise<void> {
    try {
      if (version !== "v1beta1") throw new Error(`unsupported version ${version}`);
      await this.#connect(resourceName, join(this.#folder, endpoint));
      done(null, {});
    } catch (error) {
      done({ code: status.UNKNOWN, details: String(error) });
    }
  }

  async #connect(resource: string, socket: string): Promise<void> {
    this.registrations += 1;
    if (this.#endpoints.has(resource)) this.liveRegistrations += 1;
    const client = new DevicePluginClient(`unix://${socket}`, credentials.createInsecure());
    await new Promise<void>((resolve, reject) => {
      client.getDevicePluginOptions({}, (error) => (error === null ? resolve() : reject(error)));
    });
    const stream = client.listAndWatch({});
    const endpoint: Endpoint = { client, stream, devices: undefined, messages: 0, isDropped: false };
    this.#endpoints.set(resource, endpoint);
    stream.on("data", (message: ListAndWatchResponse) => {
      endpoint.devices = message.devices;
      endpoint.messages += 1;
    });
    // The trap: when a stream ends by itself, the present client of the resource is dropped, whichever that is.
    const onEnd = (): void => {
      if (!endpoint.isDropped) this.#drop(resource);
    };
    stream.on("error", onEnd);
    stream.on("end", onEnd);
  }

  #drop(resource: string): void {
    const endpoint = this.#endpoints.get(resource);
    if (endpoint === undefined) return;
    endpoint.isDropped = true;
    this.#endpoints.delete(resource);
    endpoint.stream.cancel();
    endpoint.client.close();
  }

  async #reconcile(): Promise<void> {
    const names = fs.existsSync(this.#registry) ? fs.readdirSync(this.#registry) : [];
    const sockets = names.filter(
      (name) => !name.startsWith(".") && fs.lstatSync(join(this.#registry, name)).isSocket(),
    );
    for (const [name, { resource, identity }] of this.#seen) {
      if (sockets.includes(name) && identify(join(this.#registry, name)) === identity) continue;
      this.#seen.delete(name);
      this.#drop(resource);
    }
    for (const name of sockets.filter((socket) => !this.#seen.has(socket))) await this.#adopt(name);
  }

  async #adopt(name: string): Promise<void> {
    const socket = join(this.#registry, name);
    const identity = identify(socket);
    const client = new RegistrationClient(`unix://${socket}`, credentials.createInsecure());
    try {
      const info = await new Promise<PluginInfo>((resolve, reject) => {
        client.getInfo({}, new Metadata(), { deadline: Date.now() + getInfoMs }, (error, answer) =>
          error === null ? resolve(answer) : reject(error),
        );
      });
      this.#seen.set(name, { identity, resource: info.name });
      await this.#connect(info.name, info.endpoint === "" ? socket : info.endpoint);
      client.notifyRegistrationStatus({ pluginRegistered: true, error: "" }, () => client.close());
    } catch {
      // Tried again at the next tick.
      this.#seen.delete(name);
      client.close();
    }
  }
}

/** Inodes are reused at once. */
function identify(path: string): string {
  const { ino, mtimeMs } = fs.statSync(path);
  return `${ino}:${mtimeMs}`;
}
