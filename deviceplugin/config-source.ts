// The resource configuration as it is in force: read anew at each look, and a bad new one changes nothing.
import { dirname } from "node:path";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { SriovError } from "../sriov/errors.ts";
import { defaultResources, parseResourceConfig, type ResourcePool } from "../sriov/resource-config.ts";

export interface ConfigSourceOptions {
  /** As `--config-file` names it; without one the usual place is looked at, where nothing means the default. */
  readonly configFile: string | undefined;
  readonly prefix: string;
  readonly log: Log;
}

/** Text of the file, or its absence: what tells one state of it from another. */
type FileState = { readonly text: string } | "missing";

/** Holds the last good configuration from the start of the device plugin to its end. */
export class ConfigSource {
  readonly #host: Pick<Host, "files" | "paths">;
  readonly #options: ConfigSourceOptions;
  #seen: string | undefined;
  #pools: readonly ResourcePool[] | undefined;
  #problem: string | undefined;

  constructor(host: Pick<Host, "files" | "paths">, options: ConfigSourceOptions) {
    this.#host = host;
    this.#options = options;
  }

  /** The file that is looked at. */
  get path(): string {
    return this.#options.configFile ?? this.#host.paths.resourceConfig;
  }

  /** What is wrong with the file as it is now; the configuration of before is in force. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** False while there was no good configuration yet. */
  get isInForce(): boolean {
    return this.#pools !== undefined;
  }

  /** Looks at the file; gives the resources in force, or `undefined` while there was no good configuration yet. */
  read(): readonly ResourcePool[] | undefined {
    let state: FileState;
    try {
      const text = this.#host.files.readText(this.path);
      state = text === undefined ? "missing" : { text };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      return this.#takeNone(error);
    }
    const seen = JSON.stringify(state);
    if (seen === this.#seen) return this.#pools;
    this.#seen = seen;
    if (state === "missing") this.#takeMissing();
    else this.#take(state.text);
    return this.#pools;
  }

  /** Calls `onChange` when the file may have changed; `undefined` while its folder is not there. */
  watch(onChange: () => void): Disposable | undefined {
    try {
      // A ConfigMap is changed by renaming a link beside the file.
      return this.#host.files.watch(dirname(this.path), onChange);
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }

  #take(text: string): void {
    const { prefix, log } = this.#options;
    try {
      this.#pools = parseResourceConfig(text, { path: this.path, prefix });
      this.#problem = undefined;
      log.info({ file: this.path, resources: this.#pools.map(({ name }) => name) }, "configuration in force");
    } catch (error) {
      if (!(error instanceof SriovError)) throw error;
      this.#refuse(error.message, error);
    }
  }

  /** A file that was there and is gone, or that was named and never was, is a mistake, not a wish for the default. */
  #takeMissing(): void {
    const { configFile, prefix, log } = this.#options;
    if (configFile === undefined && this.#pools === undefined) {
      this.#pools = defaultResources(prefix);
      this.#problem = undefined;
      log.info({ file: this.path }, "no configuration file: every VF with a network driver is offered");
      return;
    }
    this.#refuse(`${this.path} is missing`, undefined);
  }

  /** Nothing was seen there: what comes next is news, also when it is what was there before. */
  #takeNone(error: HostError): readonly ResourcePool[] | undefined {
    this.#seen = undefined;
    this.#refuse(error.message, error);
    return this.#pools;
  }

  #refuse(problem: string, error: unknown): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    const kept =
      this.#pools === undefined ? "nothing is offered" : "the configuration of before stays in force";
    this.#options.log.error({ error, file: this.path, problem, kept }, "the configuration is not usable");
  }
}
