// STATUS where nothing is to be said: not first in its list, without networks of its own, and the kubelet can be asked. No schema in here.

import type { NodeReader } from "../host/node-reader.ts";
import { isCheckpoint } from "../kubelet/checkpoint-pods.ts";
import { isForeignKey, networkNames } from "./config-keys.ts";
import { isFirstEntry } from "./first-entry.ts";

/** Whether status.ts would find the configuration right, and the node ready for it. False says nothing: status.ts decides then. */
export function isPlainlyReady({ files, paths }: NodeReader, stdin: string): boolean {
  try {
    const config: unknown = JSON.parse(stdin);
    if (!isPlain(config) || isFirstEntry({ files, paths }, config)) return false;
    const { podResourcesSocket, checkpoint } = paths.kubelet;
    if (files.stat(podResourcesSocket)?.kind === "socket") return true;
    return isCheckpoint(files.readText(checkpoint) ?? "");
  } catch {
    return false;
  }
}

function isPlain(config: unknown): config is { readonly name: string; readonly type: unknown } {
  if (typeof config !== "object" || config === null) return false;
  const { name, cniVersion } = config as Readonly<Record<string, unknown>>;
  if (cniVersion !== "1.1.0" || typeof name !== "string" || !networkNames.test(name)) return false;
  for (const [key, value] of Object.entries(config)) if (!isPlainMember(key, value)) return false;
  return true;
}

function isPlainMember(key: string, value: unknown): boolean {
  switch (key) {
    case "name":
    case "cniVersion":
      return true;
    case "type":
      return typeof value === "string";
    case "capabilities":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return isForeignKey(key);
  }
}
