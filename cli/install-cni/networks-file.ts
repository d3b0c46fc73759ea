// The networks that every pod with VFs is given, from a file that an administrator wrote once for all nodes.

import * as v from "valibot";
import { parse } from "yaml";
import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";

/** The file is no list of networks. */
export class NetworksFileError extends HostError {
  readonly code = "ERR_NETWORKS_FILE";

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`reading the networks in ${path}: ${problem}`, options);
  }
}

const networksSchema = v.pipe(v.array(v.looseObject({})), v.minLength(1));

/**
 * The list in the YAML or JSON file at `path`, as it is to stand in the chained entry's `networks`; undefined when the file
 * is missing. What a network may say is the CNI plugin's to check. Throws ERR_NETWORKS_FILE.
 */
export function readNetworksFile(host: Pick<Host, "files">, path: string): readonly object[] | undefined {
  const text = host.files.readText(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new NetworksFileError(path, cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const result = v.safeParse(networksSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "top level";
  throw new NetworksFileError(
    path,
    `${where}: expected ${issue.expected ?? "a list"}, got ${issue.received}`,
  );
}
