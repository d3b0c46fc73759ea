// The configuration list that the container runtime loads, and virtfn's entry in it.

import { join } from "node:path";
import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { planConflist, type WantedEntry } from "./conflist.ts";
import { pluginName } from "./executable.ts";

/** How the runtime's list stands after a look at it. `waiting`: there is none yet. `refused`: it was left as it is. */
export type ConflistState =
  | { readonly kind: "chained"; readonly path: string; readonly written: boolean }
  | { readonly kind: "waiting" }
  | { readonly kind: "refused"; readonly error: HostError };

/** The runtime's CNI configuration can't take virtfn's entry, or can't be written. */
class ConflistError extends HostError {
  readonly code = "ERR_CONFLIST";

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`cannot add ${pluginName} to ${path}: ${problem}`, options);
  }
}

const isConfiguration = /\.(?:conf|conflist|json)$/;

/**
 * Names of the configurations in `confDir`: files with one of three endings, names with a leading dot included. The runtime loads
 * the first one. Source: containerd go-cni opts.go, loadFromConfDir; libcni ConfFiles.
 */
export function listConfigurations({ files }: Pick<Host, "files">, confDir: string): readonly string[] {
  const names = files.list(confDir) ?? [];
  return names
    .filter((entry) => isConfiguration.test(entry))
    .filter((entry) => files.stat(join(confDir, entry))?.kind !== "directory");
}

/** As often as another program may write the list between our look at it and our write. */
const maxTries = 5;

/** Puts virtfn's entry into the list that the runtime loads, unless it is there as wanted; what others write meanwhile stays. */
export function chainIntoConflist(
  host: Pick<Host, "files">,
  confDir: string,
  wanted: Omit<WantedEntry, "type">,
): ConflistState {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const state = tryToChain(host, confDir, wanted);
    if (state !== "changed") return state;
  }
  const error = new ConflistError(confDir, "another program writes it again and again");
  return { kind: "refused", error };
}

function tryToChain(
  { files }: Pick<Host, "files">,
  confDir: string,
  wanted: Omit<WantedEntry, "type">,
): ConflistState | "changed" {
  const [name] = listConfigurations({ files }, confDir);
  if (name === undefined) return { kind: "waiting" };
  const path = join(confDir, name);
  const refuse = (problem: string, options?: ErrorOptions): ConflistState => ({
    kind: "refused",
    error: new ConflistError(path, problem, options),
  });
  if (!name.endsWith(".conflist")) {
    return refuse(
      "expected a list of plugins (.conflist), got one plugin's configuration, which has no place for a second",
    );
  }
  files.recoverDisplaced(path);
  const stat = files.stat(path, { noFollow: true });
  if (stat?.kind !== "file")
    return refuse(`expected a file of its own, got a ${stat?.kind ?? "missing file"}`);
  const before = files.readText(path) ?? "";
  const plan = planConflist(before, { ...wanted, type: pluginName });
  if (plan.kind === "refuse") return refuse(plan.problem);
  if (plan.kind === "keep") return { kind: "chained", path, written: false };
  try {
    // Another program's file: after a power cut nobody would write it again in time for the node to have a network.
    const change = { before, text: plan.text, mode: stat.mode & 0o777 };
    return files.replaceUnchanged(path, change) ? { kind: "chained", path, written: true } : "changed";
  } catch (cause) {
    return refuse(`it could not be written: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
