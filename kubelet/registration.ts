// Keeps a device plugin registered: serves its socket, gets known to the kubelet, and does so again whenever that is lost.
import { join } from "node:path";

import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { Wakeup } from "../host/wakeup.ts";
import type { DevicePluginServer } from "./gen/deviceplugin.ts";
import { PluginSocket } from "./plugin-socket.ts";
import { apiVersion, callRegister } from "./register-call.ts";
import {
  backOffMs,
  planRegistration,
  type RegistrationState,
  type RegistrationWay,
} from "./registration-plan.ts";

const kubeletSocketName = "kubelet.sock";

export interface Plugin {
  /** "sriov/vf". */
  readonly resource: string;
  /** File name of its socket. */
  readonly socketName: string;
  readonly handlers: DevicePluginServer;
}

/** Registered means that the kubelet holds a stream; else `reason` tells what is being waited for. */
export interface RegistrationStatus {
  readonly isRegistered: boolean;
  readonly reason: string;
}

export interface RegistrationContext {
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly onStatus: (status: RegistrationStatus) => void;
}

type RegistrationHost = Pick<Host, "files" | "paths" | "clock">;

interface Folder {
  readonly way: RegistrationWay;
  readonly path: string;
}

/** How long a kubelet needs to notice that streams ended: a Register before that would be undone by it. */
const settleMs = 500;
/** How often a missing kubelet folder is looked for. */
const missingFolderMs = 1_000;

/**
 * Serves and registers `plugin` until the signal is aborted, whatever the kubelet does meanwhile; then closes the socket
 * and removes its file, which is the deregistration. Never throws because of the kubelet.
 */
export async function keepRegistered(
  host: RegistrationHost,
  plugin: Plugin,
  context: RegistrationContext,
): Promise<void> {
  const { signal, log } = context;
  let failures = 0;
  while (!signal.aborted) {
    const folder = findFolder(host);
    if (folder === undefined) {
      context.onStatus({ isRegistered: false, reason: "the kubelet's folders are missing" });
      await new Wakeup(host).wait(missingFolderMs, signal);
      continue;
    }
    try {
      failures = await serveOnce(host, plugin, context, folder, failures);
    } catch (error) {
      failures += 1;
      log.error({ error, folder: folder.path }, "cannot serve the plugin's socket");
      context.onStatus({ isRegistered: false, reason: "the socket cannot be served" });
      await new Wakeup(host).wait(backOffMs(failures), signal);
    }
  }
}

function findFolder(host: RegistrationHost): Folder | undefined {
  const { pluginsRegistry, devicePlugins } = host.paths.kubelet;
  if (host.files.stat(pluginsRegistry)?.kind === "directory")
    return { way: "plugins_registry", path: pluginsRegistry };
  if (host.files.stat(devicePlugins)?.kind === "directory")
    return { way: "device-plugins", path: devicePlugins };
  return undefined;
}

/** One binding from its start to the moment when it has to be made anew; gives the failures in a row. */
async function serveOnce(
  host: RegistrationHost,
  plugin: Plugin,
  context: RegistrationContext,
  folder: Folder,
  failuresBefore: number,
): Promise<number> {
  const { signal, log } = context;
  const wakeup = new Wakeup(host);
  const onActivity = (): void => wakeup.wake();
  const socket = await bindSocket(host, plugin, folder, log, onActivity);
  const kubeletSocket = join(folder.path, kubeletSocketName);
  using _watch = host.files.watch(folder.path, ({ name }) => {
    if (name === plugin.socketName || name === kubeletSocketName) wakeup.wake();
  });
  let failures = failuresBefore;
  let called: RegistrationState["called"];
  try {
    while (!signal.aborted) {
      const kubelet = identify(host, kubeletSocket);
      const step = planRegistration(
        describe(folder, socket, failures, kubelet, called),
        host.clock.monotonicMs(),
      );
      context.onStatus({
        isRegistered: socket.openStreams > 0,
        reason: step.step === "wait" ? step.reason : step.step,
      });
      switch (step.step) {
        case "bind": {
          log.warn({ reason: step.reason }, "registering anew");
          return socket.hadSteadyStream ? 0 : failures + 1;
        }
        case "register": {
          const isAccepted = await register(plugin, kubeletSocket, context);
          called = { kubelet: kubelet ?? "", atMs: host.clock.monotonicMs(), isAccepted };
          failures = isAccepted ? failures : failures + 1;
          break;
        }
        case "wait": {
          await wakeup.wait(step.ms, signal);
          break;
        }
      }
    }
    return failures;
  } finally {
    const hadStreams = socket.openStreams > 0;
    await socket.close();
    context.onStatus({ isRegistered: false, reason: "the socket is closed" });
    if (hadStreams) await new Wakeup(host).wait(settleMs, signal);
  }
}

async function bindSocket(
  host: RegistrationHost,
  plugin: Plugin,
  folder: Folder,
  log: Log,
  onActivity: () => void,
): Promise<PluginSocket> {
  const path = join(folder.path, plugin.socketName);
  const info =
    folder.way === "plugins_registry"
      ? { type: "DevicePlugin", name: plugin.resource, endpoint: "", supportedVersions: [apiVersion] }
      : undefined;
  const socket = await PluginSocket.bind(host, { path, handlers: plugin.handlers, info, onActivity, log });
  log.info({ socket: path }, "serving the plugin's socket");
  return socket;
}

function describe(
  { way }: Folder,
  socket: PluginSocket,
  failures: number,
  kubelet: string | undefined,
  called: RegistrationState["called"],
): RegistrationState {
  const { boundAtMs, openStreams, streamEndedAtMs, contactAtMs } = socket;
  const isSocketInPlace = socket.isInPlace;
  return {
    way,
    boundAtMs,
    isSocketInPlace,
    openStreams,
    streamEndedAtMs,
    contactAtMs,
    failures,
    kubelet,
    called,
  };
}

/** Inodes are reused at once, so the time of creation belongs to the identity. */
function identify(host: RegistrationHost, path: string): string | undefined {
  const stat = host.files.stat(path);
  return stat === undefined ? undefined : `${stat.inode}:${stat.changedMs}`;
}

async function register(
  plugin: Plugin,
  kubeletSocket: string,
  { signal, log }: RegistrationContext,
): Promise<boolean> {
  try {
    await callRegister(kubeletSocket, plugin.resource, plugin.socketName, signal);
    log.info({ kubeletSocket }, "registered with the kubelet");
    return true;
  } catch (error) {
    if (!signal.aborted) log.warn({ error }, "the kubelet does not take the registration yet");
    return false;
  }
}
