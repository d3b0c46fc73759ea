// What the container runtime finds of virtfn on the node: the executable, and the configuration that it loads.

import { basename, extname, join } from "node:path";

import { resolveInRoot } from "../../sriov/root-path.ts";
import { listPluginTypes, readMultusNetwork } from "../install-cni/conflist.ts";
import { pluginName } from "../install-cni/executable.ts";
import { listConfigurations } from "../install-cni/host-conflist.ts";
import type { HostView } from "./host-root.ts";

/** Folders as the node has them. */
export interface CniFolders {
  readonly binDir: string;
  readonly confDir: string;
}

/** Paths are as the node has them. */
export interface CniFacts {
  readonly executable: { readonly path: string; readonly state: "missing" | "not executable" | "there" };
  readonly confDir: string;
  /** The configuration that the runtime loads; `undefined` when there is none. */
  readonly configuration:
    | {
        readonly path: string;
        /** `undefined`: it is not understood. */
        readonly types: readonly string[] | undefined;
        /** Configurations with an entry of ours that Multus, where that is called, is given or finds for the cluster's network. */
        readonly forMultus: readonly string[];
      }
    | undefined;
}

const executeBits = 0o111;

/** Looks at both folders of the node. */
export function readCniFacts(view: HostView, { binDir, confDir }: CniFolders): CniFacts {
  const executable = join(binDir, pluginName);
  const stat = view.files.stat(locate(view, executable));
  const isExecutable = stat?.kind === "file" && (stat.mode & executeBits) !== 0;
  const folder = locate(view, confDir);
  const [name, ...others] = listConfigurations(view, folder);
  const textOf = (entry: string): string => view.files.readText(join(folder, entry)) ?? "";
  return {
    executable: {
      path: executable,
      state: stat === undefined ? "missing" : isExecutable ? "there" : "not executable",
    },
    confDir,
    configuration:
      name === undefined
        ? undefined
        : {
            path: join(confDir, name),
            types: listPluginTypes(textOf(name)),
            forMultus: listForMultus(name, others, textOf).map((entry) => join(confDir, entry)),
          },
  };
}

function listForMultus(
  loaded: string,
  others: readonly string[],
  textOf: (name: string) => string,
): readonly string[] {
  const network = readMultusNetwork(textOf(loaded));
  if (network !== undefined && "types" in network) return network.types.includes(pluginName) ? [loaded] : [];
  const found = network === undefined ? others : others.filter((name) => isNamed(name, network.named));
  return found.filter((name) => listPluginTypes(textOf(name))?.includes(pluginName) === true);
}

// Multus's daemon has the node's folder at another path.
function isNamed(file: string, name: string): boolean {
  return [file, basename(file, extname(file))].includes(basename(name));
}

// A link of the node's must not lead to what is at that path here.
function locate({ files, paths }: HostView, path: string): string {
  return join(paths.root, resolveInRoot(files, paths.root, path) ?? path);
}
