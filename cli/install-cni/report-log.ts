// Says what a look at the host found, and says it once.

import type { Log } from "../../host/log.ts";
import type { InstallReport } from "./installer.ts";

/** Logs each report's news: what was written, and what is wrong when it was not wrong in the same words before. */
export class ReportLog {
  readonly #log: Log;
  #said = { executable: "", conflist: "", udevRule: "" };

  constructor(log: Log) {
    this.#log = log;
  }

  add(report: InstallReport): void {
    this.#said = {
      executable: this.#addExecutable(report),
      conflist: this.#addConflist(report),
      udevRule: this.#addUdevRule(report),
    };
  }

  #addExecutable({ executable }: InstallReport): string {
    if (executable.kind === "refused") {
      const { error, isUsable } = executable;
      if (this.#said.executable !== error.message) {
        this.#log.error({ error, earlierReleaseInPlace: isUsable }, "cannot install the CNI executable");
      }
      return error.message;
    }
    for (const path of executable.written) this.#log.info({ path }, "installed the CNI executable");
    return "installed";
  }

  #addConflist({ conflist }: InstallReport): string {
    const { conflist: before } = this.#said;
    if (conflist === undefined) return "";
    if (conflist.kind === "waiting") {
      if (before !== "waiting") this.#log.info("waiting for the cluster's own CNI configuration");
      return "waiting";
    }
    if (conflist.kind === "refused") {
      const { error } = conflist;
      if (before !== error.message) this.#log.error({ error }, "left the CNI configuration as it is");
      return error.message;
    }
    const { path, written } = conflist;
    if (written) this.#log.info({ path }, "added virtfn to the CNI configuration");
    else if (before !== path) this.#log.info({ path }, "virtfn is in the CNI configuration");
    return path;
  }

  #addUdevRule({ udevRule }: InstallReport): string {
    if (udevRule === undefined) return "";
    if (udevRule.kind === "refused") {
      const { error } = udevRule;
      if (this.#said.udevRule !== error.message) this.#log.error({ error }, "wrote no udev rule");
      return error.message;
    }
    if (udevRule.written) this.#log.info({ path: udevRule.path }, "wrote the udev rule");
    return "installed";
  }
}
