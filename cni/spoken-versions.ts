// The CNI spec versions that this plugin speaks.

/** Oldest first. */
export const supportedVersions = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
export type CniVersion = (typeof supportedVersions)[number];
/** What errors carry when the request names no version. */
export const defaultVersion: CniVersion = "1.0.0";

/** The answer of VERSION to what came on stdin, if anything did. */
export function formatVersion(stdin: unknown): string {
  return JSON.stringify({ cniVersion: readVersion(stdin) ?? defaultVersion, supportedVersions });
}

/** The version of the request, whatever else is wrong with it. */
export function readVersion(stdin: unknown): string | undefined {
  if (typeof stdin !== "string") return undefined;
  try {
    const value = (JSON.parse(stdin) as { readonly cniVersion?: unknown } | null)?.cniVersion;
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
