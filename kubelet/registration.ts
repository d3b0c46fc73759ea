// Keeps a device plugin registered: serves its socket, gets known to the kubelet, and does so again whenever that is lost.
import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { Wakeup } from "../host/wakeup.ts";
import type { DevicePluginServer } from "./gen/deviceplugin.ts";
import { type BindingHistory, serveBinding } from "./registration-binding.ts";
import { backOffMs, type RegistrationWay } from "./registration-plan.ts";

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

export type RegistrationHost = Pick<Host, "files" | "paths" | "clock">;

/** The kubelet's folder that the plugin's socket goes to, and what it means. */
export interface RegistrationFolder {
  readonly way: RegistrationWay;
  readonly path: string;
}

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
  const { signal, log, onStatus } = context;
  const pause = new Wakeup(host);
  let history: BindingHistory = { failures: 0, kubelet: undefined };
  let isMissingTold = false;
  while (!signal.aborted) {
    try {
      const folder = findFolder(host);
      if (folder === undefined) {
        if (!isMissingTold) log.warn({ folders: host.paths.kubelet }, "the kubelet's folders are missing");
        isMissingTold = true;
        onStatus({ isRegistered: false, reason: "the kubelet's folders are missing" });
        await pause.wait(missingFolderMs, signal);
        continue;
      }
      history = await serveBinding(host, plugin, context, { folder, ...history });
    } catch (error) {
      history = { ...history, failures: history.failures + 1 };
      log.error({ error }, "cannot serve the plugin's socket");
      const problem = error instanceof Error ? error.message : String(error);
      onStatus({ isRegistered: false, reason: `the socket cannot be served: ${problem}` });
      await pause.wait(backOffMs(history.failures), signal);
    }
  }
}

/** Where plugins_registry/ exists, the kubelet finds our socket again by itself after its own restarts. */
function findFolder(host: RegistrationHost): RegistrationFolder | undefined {
  const { pluginsRegistry, devicePlugins } = host.paths.kubelet;
  if (isFolder(host, pluginsRegistry)) return { way: "plugins_registry", path: pluginsRegistry };
  if (isFolder(host, devicePlugins)) return { way: "device-plugins", path: devicePlugins };
  return undefined;
}

function isFolder(host: RegistrationHost, path: string): boolean {
  return host.files.stat(path)?.kind === "directory";
}
