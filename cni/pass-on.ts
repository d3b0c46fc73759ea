// ADD of a pod that has no device, behind the cluster's own CNI: most calls of a node. Answered before anything else is loaded.

import type { NodeReader } from "../host/node-reader.ts";
import { isWithoutDevices } from "../kubelet/checkpoint-pods.ts";
import { isReleasedThisBoot } from "../sriov/released-boot.ts";
import { hasKey, isVfKey } from "./config-keys.ts";
import { readPodUid } from "./pod-arguments.ts";
import { supportedVersions } from "./spoken-versions.ts";

/**
 * The result of the plugin before, as it came, when the kubelet's checkpoint has no device for the pod. `undefined` when
 * anything else may be to do or to say: the whole of ADD decides then. Such a pod does not depend on what else stands in the
 * configuration: a mistake in it fails the pods that have VFs, and no other.
 */
export function passOn(host: NodeReader, args: string, stdin: string): string | undefined {
  const uid = readPodUid(args);
  const result = uid === undefined ? undefined : readPrevResult(stdin);
  if (uid === undefined || result === undefined) return undefined;
  try {
    if (!isReleasedThisBoot(host)) return undefined;
    const checkpoint = host.files.readText(host.paths.kubelet.checkpoint) ?? "";
    return isWithoutDevices(checkpoint, uid) === true ? JSON.stringify(result) : undefined;
  } catch {
    return undefined;
  }
}

// Who wants a log line gets it from the whole of ADD, and which result counts it knows where there is one in another case.
function isDecisive(key: string): boolean {
  const folded = key.toLowerCase();
  return isVfKey(key) || folded === "loglevel" || (folded === "prevresult" && key !== "prevResult");
}

function readPrevResult(stdin: string): object | undefined {
  const config = parseObject(stdin);
  const { cniVersion, prevResult } = config;
  const isKnown = supportedVersions.some((known) => known === cniVersion);
  if (!isKnown || hasKey(config, isDecisive) || typeof prevResult !== "object" || prevResult === null)
    return undefined;
  // Of another version it has to be rendered again.
  return (prevResult as { readonly cniVersion?: unknown }).cniVersion === cniVersion ? prevResult : undefined;
}

function parseObject(stdin: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(stdin);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
