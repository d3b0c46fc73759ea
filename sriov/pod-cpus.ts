// Which CPUs pods have for themselves as the kubelet told last, on disk for a daemon that starts while it can't tell.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { firstFormat, parseStateFile, readStateFile } from "./state-file.ts";

/** `exclusive`: by "namespace/name" of the pod; `allocatable`: CPUs that the kubelet may give to one pod alone. */
export interface PodCpus {
  readonly exclusive: ReadonlyMap<string, readonly number[]>;
  readonly allocatable: readonly number[];
}

const cpus = v.array(v.pipe(v.number(), v.integer(), v.minValue(0)));
const schema = v.object({
  format: firstFormat,
  exclusive: v.array(v.object({ pod: v.string(), cpus })),
  allocatable: cpus,
});

type Store = Pick<Host, "files" | "paths">;
type File = v.InferOutput<typeof schema>;

/** What the daemon wrote last in this boot; `undefined` where the kubelet told nothing yet. Throws ERR_RECORD_CORRUPT. */
export function readPodCpus(host: Store): PodCpus | undefined {
  const file = readStateFile(host, host.paths.podCpus, schema);
  return file && toPodCpus(file);
}

/** Replaces the file. Written by the daemon alone. */
export function writePodCpus(host: Store, pods: PodCpus): void {
  host.files.writeAtomic(host.paths.podCpus, formatPodCpus(pods));
}

/** JSON text to what it says; `path` is for messages. Throws ERR_RECORD_CORRUPT. */
export function parsePodCpus(json: string, path: string): PodCpus {
  return toPodCpus(parseStateFile(json, path, schema));
}

/** The pods' CPUs to JSON text, format 1.0; the same for pods in any order. */
export function formatPodCpus({ exclusive, allocatable }: PodCpus): string {
  const pods = [...exclusive].map(([pod, own]) => ({ pod, cpus: own }));
  const ordered = pods.toSorted((a, b) => (a.pod < b.pod ? -1 : 1));
  return `${JSON.stringify({ format: "1.0", exclusive: ordered, allocatable })}\n`;
}

function toPodCpus({ exclusive, allocatable }: File): PodCpus {
  return { exclusive: new Map(exclusive.map(({ pod, cpus: own }) => [pod, own])), allocatable };
}
