// Which version a configuration is of, and what came with it.

import { VersionError } from "./errors.ts";
import { supportedVersions, type CniVersion } from "./spoken-versions.ts";

/** Throws ERR_CNI_VERSION, naming the supported ones. */
export function parseCniVersion(value: unknown): CniVersion {
  const version = supportedVersions.find((known) => known === value);
  if (version !== undefined) return version;
  const got = value === undefined ? "nothing" : JSON.stringify(value);
  throw new VersionError(`cniVersion: expected one of ${supportedVersions.join(", ")}, got ${got}`);
}

/** Throws ERR_CNI_VERSION when `version` does not have the verb, which came with `since`. */
export function checkVerb(verb: string, since: CniVersion, version: CniVersion): void {
  if (supportedVersions.indexOf(version) >= supportedVersions.indexOf(since)) return;
  throw new VersionError(`cniVersion: ${verb} came with ${since}, got ${verb} in ${version}`);
}
