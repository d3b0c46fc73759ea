// Whether an entry is the first of its list, so that every pod gets a VF: STATUS is not told, and the runtime's own file shows it.

import type { NodeReader } from "../host/node-reader.ts";
import type { Request } from "./request.ts";

type Eyes = Pick<NodeReader, "files" | "paths">;

/** Whether every pod gets a VF by this configuration. */
export function getsEachPod(host: Eyes, { config, input }: Pick<Request, "config" | "input">): boolean {
  const { device, pf, name } = config;
  const { type } = input as { readonly type?: unknown };
  return device !== undefined || pf !== undefined || isFirstEntry(host, { name, type });
}

/**
 * Whether the runtime's configuration is the network `name` and begins with an entry of `type`. It is the first file by name, read
 * where runtimes have it by default; a file that is elsewhere, or cannot be read, shows nothing. Source: containerd go-cni, opts.go;
 * CRI-O ocicni.
 */
export function isFirstEntry(
  host: Eyes,
  { name, type }: { readonly name: string; readonly type: unknown },
): boolean {
  const config = readFirst(host);
  const plugins: unknown = config?.["plugins"] ?? [config];
  const first = Array.isArray(plugins)
    ? (plugins[0] as { readonly type?: unknown } | null | undefined)
    : undefined;
  return typeof type === "string" && config?.["name"] === name && first?.type === type;
}

function readFirst({ files, paths }: Eyes): Readonly<Record<string, unknown>> | undefined {
  try {
    const file = files.list(paths.cniConfigs)?.find((entry) => /\.(?:conf|conflist|json)$/.test(entry));
    const text = file === undefined ? undefined : files.readText(`${paths.cniConfigs}/${file}`);
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
