// What the device plugin offers now, on disk: so that a VF is never picked without the kubelet while the kubelet may give it away.
import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { firstFormat, parseStateFile } from "./state-file.ts";

/** Device ids by resource name. */
export type AdvertisedPools = ReadonlyMap<string, readonly string[]>;

/** What the file tells besides, for people who look at it. */
export interface AdvertisedDetails {
  readonly unhealthy: ReadonlyMap<string, { readonly code: string; readonly reason: string }>;
  /** VFs that are in no pool, with the reason. */
  readonly leftOut: ReadonlyMap<string, string>;
}

const noDetails: AdvertisedDetails = { unhealthy: new Map(), leftOut: new Map() };

/** Pools and details together. */
export interface Advertisement extends AdvertisedDetails {
  readonly pools: AdvertisedPools;
}

// The details came with format 1.1.
const poolsFile = v.object({
  format: firstFormat,
  pools: v.record(v.string(), v.array(v.string())),
  unhealthy: v.optional(v.record(v.string(), v.object({ code: v.string(), reason: v.string() })), {}),
  leftOut: v.optional(v.record(v.string(), v.string()), {}),
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
  const { pools, unhealthy, leftOut } = parseStateFile(text, path, poolsFile);
  return {
    pools: new Map(Object.entries(pools)),
    unhealthy: new Map(Object.entries(unhealthy)),
    leftOut: new Map(Object.entries(leftOut)),
  };
}

/** `AdvertisedPools` to JSON text. */
export function formatAdvertisedPools(pools: AdvertisedPools, { unhealthy, leftOut } = noDetails): string {
  const file = {
    format: "1.1",
    pools: Object.fromEntries(pools),
    unhealthy: Object.fromEntries(unhealthy),
    leftOut: Object.fromEntries(leftOut),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}
