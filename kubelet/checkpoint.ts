// The kubelet's device checkpoint: which devices it gave to which container. Loaded at the CNI's start: no gRPC in here.
import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { CheckpointError } from "./errors.ts";

/** Device ids by resource name, in the order the kubelet wrote them, each once. */
export type DevicesByResource = ReadonlyMap<string, readonly string[]>;

/** What the kubelet remembers about devices. Deleted pods stay in it until the next device pod is admitted: no list of living pods. */
export interface Checkpoint {
  /** Pod UID -> container name -> its devices. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, DevicesByResource>>;
  /** Devices of every resource as its plugin last reported them. */
  readonly registeredDevices: DevicesByResource;
}

const deviceIds = v.array(v.string());

// Source: kubernetes pkg/kubelet/cm/devicemanager/checkpoint/checkpoint.go; Go writes an empty slice or map as null, and leaves none
// out: a file without them is of another format, by which every pod would have no device.
const checkpointFile = v.object({
  Data: v.object({
    PodDeviceEntries: v.nullable(
      v.array(
        v.object({
          PodUID: v.string(),
          ContainerName: v.string(),
          ResourceName: v.string(),
          DeviceIDs: v.nullable(v.record(v.string(), v.nullish(deviceIds))),
          AllocResp: v.nullish(v.string()),
        }),
      ),
    ),
    RegisteredDevices: v.nullable(v.record(v.string(), v.nullish(deviceIds))),
  }),
});

/** The checkpoint of this node; `undefined` before the first plugin registered. Throws ERR_CHECKPOINT on a file that is no checkpoint. */
export function readCheckpoint(host: Pick<Host, "files" | "paths">): Checkpoint | undefined {
  const path = host.paths.kubelet.checkpoint;
  const text = host.files.readText(path);
  return text === undefined ? undefined : parseCheckpoint(text, path);
}

/** Parses the JSON of `kubelet_internal_checkpoint`; `path` is for messages. Throws ERR_CHECKPOINT naming what was expected where. */
export function parseCheckpoint(text: string, path: string): Checkpoint {
  const { PodDeviceEntries, RegisteredDevices } = decodeCheckpoint(text, path).Data;
  const pods = new Map<string, Map<string, Map<string, readonly string[]>>>();
  for (const entry of PodDeviceEntries ?? []) {
    const containers = getOrAdd(pods, entry.PodUID);
    const resources = getOrAdd(containers, entry.ContainerName);
    const known = resources.get(entry.ResourceName) ?? [];
    const ids = Object.values(entry.DeviceIDs ?? {}).flatMap((idsOfNode) => idsOfNode ?? []);
    resources.set(entry.ResourceName, [...new Set([...known, ...ids])]);
  }
  const registered = Object.entries(RegisteredDevices ?? {}).map(
    ([resource, ids]) => [resource, ids ?? []] as const,
  );
  return { pods, registeredDevices: new Map(registered) };
}

/** The file's content as it is. Throws as `parseCheckpoint`. */
export function decodeCheckpoint(text: string, path: string): v.InferOutput<typeof checkpointFile> {
  if (text.trim() === "") throw new CheckpointError(path, "expected JSON, got an empty file");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(path, `expected JSON, got ${excerpt(text)}`, { cause });
  }
  const parsed = v.safeParse(checkpointFile, json);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map(
    (issue) =>
      `${v.getDotPath(issue) ?? "the file"}: expected ${issue.expected ?? "something else"}, got ${issue.received}`,
  );
  throw new CheckpointError(path, problems.join(" | "));
}

function getOrAdd<Key, SubKey, Value>(map: Map<Key, Map<SubKey, Value>>, key: Key): Map<SubKey, Value> {
  const known = map.get(key);
  if (known !== undefined) return known;
  const added = new Map<SubKey, Value>();
  map.set(key, added);
  return added;
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
