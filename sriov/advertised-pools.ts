// What the device plugin offers now, on disk: so that a VF is never picked without the kubelet while the kubelet may give it away.
import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { RecordCorruptError } from "./errors.ts";
import {
  formatResourceRules,
  parseResourceRules,
  type ResourceRules,
  type RulesByResource,
} from "./resource-rules.ts";
import { firstFormat, parseStateFile } from "./state-file.ts";

/** The lock that a running device plugin holds; its file tells that one has run since the node's start. */
export const devicePluginLock = "deviceplugin";

/** Device ids by resource name. */
export type AdvertisedPools = ReadonlyMap<string, readonly string[]>;

/** What the file tells besides: for people who look at it, and rules for the CNI plugin and tuning. */
export interface AdvertisedDetails {
  readonly unhealthy: ReadonlyMap<string, { readonly code: string; readonly reason: string }>;
  /** VFs that are in no pool, with the reason. */
  readonly leftOut: ReadonlyMap<string, string>;
  readonly rules: RulesByResource;
}

const noDetails: AdvertisedDetails = { unhealthy: new Map(), leftOut: new Map(), rules: new Map() };

/** Pools and details together. */
export interface Advertisement extends AdvertisedDetails {
  readonly pools: AdvertisedPools;
}

const rules = v.object({ limits: v.optional(v.unknown()), tuning: v.optional(v.unknown()) });

// The details came with format 1.1, the rules with 1.2.
const poolsFile = v.object({
  format: firstFormat,
  pools: v.record(v.string(), v.array(v.string())),
  unhealthy: v.optional(v.record(v.string(), v.object({ code: v.string(), reason: v.string() })), {}),
  leftOut: v.optional(v.record(v.string(), v.string()), {}),
  rules: v.optional(v.record(v.string(), rules), {}),
});

/** What the device plugin offered last; it stays when the plugin stops. `undefined` when none ran since boot. Throws ERR_RECORD_CORRUPT. */
export function readAdvertisedPools(host: Pick<Host, "files" | "paths">): AdvertisedPools | undefined {
  return readAdvertisement(host)?.pools;
}

/** As `readAdvertisedPools`, with the details. Throws ERR_RECORD_CORRUPT. */
export function readAdvertisement(host: Pick<Host, "files" | "paths">): Advertisement | undefined {
  const text = host.files.readText(host.paths.pools);
  return text === undefined ? undefined : parseAdvertisement(text, host.paths.pools);
}

/** Replaces the file; the writer holds the lock `pick`. */
export function writeAdvertisedPools(
  host: Pick<Host, "files" | "paths">,
  pools: AdvertisedPools,
  details = noDetails,
): void {
  host.files.writeAtomic(host.paths.pools, formatAdvertisedPools(pools, details));
}

/** JSON text to what it says; `path` is for messages. Throws ERR_RECORD_CORRUPT. */
export function parseAdvertisement(text: string, path: string): Advertisement {
  const { pools, unhealthy, leftOut, rules } = parseStateFile(text, path, poolsFile);
  return {
    pools: new Map(Object.entries(pools)),
    unhealthy: new Map(Object.entries(unhealthy)),
    leftOut: new Map(Object.entries(leftOut)),
    rules: new Map(Object.entries(rules).map(([name, given]) => [name, readRules(given, name, path)])),
  };
}

/** A limit that is not understood is no absence of limits. */
function readRules(given: v.InferOutput<typeof rules>, name: string, path: string): ResourceRules {
  const read = parseResourceRules({ limits: given.limits, tuning: given.tuning }, `rules.${name}`);
  if (read.problems.length > 0) throw new RecordCorruptError(path, read.problems.join(" | "));
  return read.rules;
}

/** `AdvertisedPools` to JSON text. */
export function formatAdvertisedPools(pools: AdvertisedPools, details = noDetails): string {
  const { unhealthy, leftOut, rules } = details;
  const file = {
    format: "1.2",
    pools: Object.fromEntries(pools),
    unhealthy: Object.fromEntries(unhealthy),
    leftOut: Object.fromEntries(leftOut),
    rules: Object.fromEntries([...rules].map(([name, given]) => [name, formatResourceRules(given)])),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
