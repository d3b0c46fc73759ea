// One look at the host after another: the executable first, then the entry that makes the runtime call it.

import { join } from "node:path";
import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { readEntryFile } from "./entry-file.ts";
import { type ExecutableOptions, installExecutable, pluginName } from "./executable.ts";
import { installUdevRule, type UdevRuleState } from "./udev-rule.ts";
import { chainIntoConflist, type ConflistState } from "./host-conflist.ts";

export interface InstallOptions extends ExecutableOptions {
  /** The folder of CNI configurations; undefined where all configurations name virtfn themselves. */
  readonly confDir: string | undefined;
  /** A file with what the chained entry says, which need not be there. */
  readonly entryFile: string | undefined;
  /** The folder of udev rules that is to have ours; undefined for none. */
  readonly udevRules: string | undefined;
}

/** How the executable stands after a look. `refused` with `isUsable`: the one of the release before is still there. */
export type ExecutableState =
  | { readonly kind: "installed"; readonly written: readonly string[] }
  | { readonly kind: "refused"; readonly error: HostError; readonly isUsable: boolean };

export interface InstallReport {
  readonly executable: ExecutableState;
  /** Undefined where nobody asked for it, and where the executable can't be used: the runtime must not be told to call it. */
  readonly conflist: ConflistState | undefined;
  /** Undefined where nobody asked for it. */
  readonly udevRule: UdevRuleState | undefined;
}

type InstallerHost = Pick<Host, "files" | "paths" | "openNetlink">;

/** Brings the host to the wanted state at each look; what it verified it does not read again until a file changes. */
export class Installer {
  readonly #host: InstallerHost;
  readonly #options: InstallOptions;
  readonly #supported: readonly string[];
  #verified = "";

  /** `supported`: the CNI versions that the executable answers to. */
  constructor(host: InstallerHost, options: InstallOptions, supported: readonly string[]) {
    this.#host = host;
    this.#options = options;
    this.#supported = supported;
  }

  look(): InstallReport {
    const executable = this.#lookAtExecutable();
    const isUsable = executable.kind === "installed" || executable.isUsable;
    const { udevRules } = this.#options;
    return {
      executable,
      conflist: isUsable ? this.#lookAtConflist() : undefined,
      udevRule: udevRules === undefined ? undefined : installUdevRule(this.#host, udevRules),
    };
  }

  #lookAtConflist(): ConflistState | undefined {
    const { confDir, entryFile } = this.#options;
    if (confDir === undefined) return undefined;
    try {
      const settings = entryFile === undefined ? undefined : readEntryFile(this.#host, entryFile);
      return chainIntoConflist(this.#host, confDir, { supported: this.#supported, settings });
    } catch (error) {
      if (error instanceof HostError) return { kind: "refused", error };
      throw error;
    }
  }

  #lookAtExecutable(): ExecutableState {
    if (this.#fingerprint() === this.#verified) return { kind: "installed", written: [] };
    try {
      const written = installExecutable(this.#host, this.#options);
      this.#verified = this.#fingerprint();
      return { kind: "installed", written };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const isUsable = this.#host.files.stat(join(this.#options.binDir, pluginName)) !== undefined;
      return { kind: "refused", error, isUsable };
    }
  }

  /** Identity, size and time of every file involved: comparing 100 MB again at each look would cost more than all else. */
  #fingerprint(): string {
    const { source, binDir, aliases } = this.#options;
    const paths = [source, ...[pluginName, ...aliases].map((name) => join(binDir, name))];
    return paths
      .map((path) => this.#host.files.stat(path))
      .map((stat) => (stat === undefined ? "missing" : `${stat.inode} ${stat.sizeBytes} ${stat.changedMs}`))
      .join(", ");
  }
}

/** Why pods of this node would not get their VFs; undefined when they would. An earlier release in place is enough. */
export function whyNotInstalled({ executable, conflist }: InstallReport): string | undefined {
  if (executable.kind === "refused" && !executable.isUsable) return executable.error.message;
  if (conflist?.kind === "refused") return conflist.error.message;
  return conflist?.kind === "waiting" ? "waiting for the cluster's own CNI configuration" : undefined;
}
