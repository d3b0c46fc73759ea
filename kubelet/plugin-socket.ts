// One binding of a plugin's socket: the gRPC server on it, and what the kubelet did there so far.
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { basename } from "node:path";

import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { PluginSocketError } from "./errors.ts";
import { type DevicePluginServer, DevicePluginService } from "./gen/deviceplugin.ts";
import { type PluginInfo, type RegistrationServer, RegistrationService } from "./gen/pluginregistration.ts";

export interface PluginSocketOptions {
  readonly path: string;
  /** What the plugin does; its calls are passed through. */
  readonly handlers: DevicePluginServer;
  /** What GetInfo answers, on a socket in plugins_registry/. */
  readonly info: PluginInfo | undefined;
  /** Called after anything that the properties tell has changed. */
  readonly onActivity: () => void;
  readonly log: Log;
}

/** A stream that lasted this long shows that the registration holds. */
const steadyStreamMs = 10_000;
const longestPath = 107;

/** A served socket; times are monotonic milliseconds. Closing it ends every stream and removes the socket file. */
export class PluginSocket {
  readonly path: string;
  readonly boundAtMs: number;
  readonly #host: Pick<Host, "files" | "clock">;
  readonly #options: PluginSocketOptions;
  readonly #server = new Server();
  #inode: bigint | undefined;
  #openStreams = 0;
  #streamEndedAtMs: number | undefined;
  #contactAtMs: number | undefined;
  #hadSteadyStream = false;

  private constructor(host: Pick<Host, "files" | "clock">, options: PluginSocketOptions) {
    this.#host = host;
    this.#options = options;
    this.path = options.path;
    this.boundAtMs = host.clock.monotonicMs();
  }

  /** Serves at once. A socket file that is there already, left by a plugin that died, is removed first. Throws ERR_PLUGIN_SOCKET. */
  static async bind(
    host: Pick<Host, "files" | "clock">,
    options: PluginSocketOptions,
  ): Promise<PluginSocket> {
    checkLength(options.path);
    const socket = new PluginSocket(host, options);
    socket.#addServices();
    host.files.remove(options.path);
    await new Promise<void>((resolve, reject) => {
      socket.#server.bindAsync(`unix://${options.path}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(new PluginSocketError(options.path, error.message, { cause: error }));
      });
    });
    socket.#inode = host.files.stat(options.path)?.inode;
    return socket;
  }

  /** False once the file is gone or another one. The inode is not reused while the server holds it. */
  get isInPlace(): boolean {
    const inode = this.#host.files.stat(this.path)?.inode;
    return inode !== undefined && inode === this.#inode;
  }

  get openStreams(): number {
    return this.#openStreams;
  }

  get streamEndedAtMs(): number | undefined {
    return this.#streamEndedAtMs;
  }

  get contactAtMs(): number | undefined {
    return this.#contactAtMs;
  }

  /** Whether the kubelet has held a stream for a while, or for as long as it lasts. */
  get hadSteadyStream(): boolean {
    return this.#hadSteadyStream;
  }

  /** Ends all streams and removes the file. */
  async close(): Promise<void> {
    this.#server.forceShutdown();
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
    });
  }

  #addServices(): void {
    const { handlers, info, log } = this.#options;
    this.#server.addService(DevicePluginService, {
      ...handlers,
      getDevicePluginOptions: (call, done) => {
        this.#noteContact();
        handlers.getDevicePluginOptions(call, done);
      },
      listAndWatch: (call) => {
        const openedAtMs = this.#noteContact();
        this.#openStreams += 1;
        call.once("close", () => this.#noteStreamEnd(openedAtMs));
        handlers.listAndWatch(call);
        this.#options.onActivity();
      },
    } satisfies DevicePluginServer);
    if (info === undefined) return;
    this.#server.addService(RegistrationService, {
      getInfo: (_call, done) => {
        this.#noteContact();
        done(null, info);
      },
      notifyRegistrationStatus: (call, done) => {
        this.#noteContact();
        const { pluginRegistered, error: problem } = call.request;
        if (!pluginRegistered)
          log.error({ socket: basename(this.path), problem }, "the kubelet refused the plugin");
        done(null, {});
      },
    } satisfies RegistrationServer);
  }

  #noteContact(): number {
    this.#contactAtMs = this.#host.clock.monotonicMs();
    return this.#contactAtMs;
  }

  #noteStreamEnd(openedAtMs: number): void {
    const nowMs = this.#host.clock.monotonicMs();
    this.#openStreams -= 1;
    this.#streamEndedAtMs = nowMs;
    if (nowMs - openedAtMs >= steadyStreamMs) this.#hadSteadyStream = true;
    this.#options.onActivity();
  }
}

/** Bun binds a longer path by a way of its own, but the kubelet could not dial it. Source: unix(7), sun_path. */
function checkLength(path: string): void {
  const length = Buffer.byteLength(path);
  if (length > longestPath)
    throw new PluginSocketError(path, `expected a path of at most ${longestPath} bytes, got ${length}`);
}
