// One binding of a plugin's socket, from its start until the registration has to be made anew.
import { join } from "node:path";

import { Wakeup } from "../host/wakeup.ts";
import { PluginSocket } from "./plugin-socket.ts";
import { apiVersion, callRegister } from "./register-call.ts";
import { planRegistration, type RegistrationState } from "./registration-plan.ts";
import type { Plugin, RegistrationContext, RegistrationFolder, RegistrationHost } from "./registration.ts";

/** What one binding leaves to the next. */
export interface BindingHistory {
  /** Bindings and calls in a row that came to nothing with this kubelet. */
  readonly failures: number;
  /** Which kubelet that is, by its socket; `undefined` where it was not there, or is in another folder. */
  readonly kubelet: string | undefined;
}

const kubeletSocketName = "kubelet.sock";
/** How long a kubelet needs to notice that streams ended: a Register before that would be undone by it. */
const settleMs = 500;

/**
 * Serves `plugin` in the folder and keeps it registered as long as this binding allows, or until the signal is aborted;
 * then closes it. A kubelet that was restarted is not waited for because of what failed with the one before. Throws when the
 * socket cannot be bound.
 */
export async function serveBinding(
  host: RegistrationHost,
  plugin: Plugin,
  context: RegistrationContext,
  start: BindingHistory & { readonly folder: RegistrationFolder },
): Promise<BindingHistory> {
  const { signal, log, onStatus } = context;
  const { folder } = start;
  const wakeup = new Wakeup(host);
  const kubeletSocket = join(folder.path, kubeletSocketName);
  using _watch = host.files.watch(folder.path, ({ name }) => {
    if (name === plugin.socketName || name === kubeletSocketName) wakeup.wake();
  });
  const socket = await bindSocket(host, plugin, folder, context, () => wakeup.wake());
  let { failures, kubelet } = start;
  let called: RegistrationState["called"];
  try {
    while (!signal.aborted) {
      const found = identify(host, kubeletSocket);
      if (found !== kubelet) failures = 0;
      kubelet = found;
      const step = planRegistration(
        { ...describeSocket(socket), way: folder.way, failures, kubelet, called },
        host.clock.monotonicMs(),
      );
      const reason = step.step === "register" ? "calling the kubelet" : step.reason;
      onStatus({ isRegistered: socket.openStreams > 0, reason });
      switch (step.step) {
        case "bind":
          log.warn({ reason }, "registering anew");
          return { failures: socket.hadSteadyStream ? 0 : failures + 1, kubelet };
        case "register": {
          const isAccepted = await register(plugin, kubeletSocket, context);
          called = { kubelet: kubelet ?? "", atMs: host.clock.monotonicMs(), isAccepted };
          failures += isAccepted ? 0 : 1;
          break;
        }
        case "wait":
          await wakeup.wait(step.ms, signal);
          break;
      }
    }
    return { failures, kubelet };
  } finally {
    await closeSocket(host, socket, context);
  }
}

async function bindSocket(
  host: RegistrationHost,
  plugin: Plugin,
  folder: RegistrationFolder,
  { log }: RegistrationContext,
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

async function closeSocket(
  host: RegistrationHost,
  socket: PluginSocket,
  { signal, onStatus }: RegistrationContext,
): Promise<void> {
  const hadStreams = socket.openStreams > 0;
  await socket.close();
  onStatus({ isRegistered: false, reason: "the socket is closed" });
  if (hadStreams) await new Wakeup(host).wait(settleMs, signal);
}

type SocketFacts = "boundAtMs" | "isSocketInPlace" | "openStreams" | "streamEndedAtMs" | "contactAtMs";

function describeSocket(socket: PluginSocket): Pick<RegistrationState, SocketFacts> {
  const { boundAtMs, openStreams, streamEndedAtMs, contactAtMs } = socket;
  return { boundAtMs, isSocketInPlace: socket.isInPlace, openStreams, streamEndedAtMs, contactAtMs };
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
