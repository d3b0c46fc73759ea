// Keeps the CDI files: written anew at the start, since /run is empty after a reboot while the kubelet still asks for what it knew.
import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { formatCdiFileName, formatCdiSpec, isOwnCdiFile } from "./cdi-spec.ts";
import { readDeviceGrant } from "./device-grant.ts";
import type { DeviceTree, OfferedPool } from "./device-tree.ts";
import { readLiveDevice } from "./live-device.ts";
import { readAllocatedDevices } from "./node-facts.ts";

/** The files of one run of the device plugin. */
export class CdiFiles {
  readonly #host: Pick<Host, "files" | "paths">;
  readonly #log: Log;
  readonly #written = new Map<string, string>();
  #problem = "";

  constructor(host: Pick<Host, "files" | "paths">, log: Log) {
    this.#host = host;
    this.#log = log;
  }

  /** Brings the file of a resource up to date; false, with a log line, when it cannot be written. */
  publish(offered: OfferedPool): boolean {
    return this.#attempt(() => {
      const name = formatCdiFileName(offered.pool.name);
      const text = this.#format(offered);
      if (text === undefined) this.#remove(name);
      else this.#write(name, text);
    });
  }

  /** The files of all resources of `tree`; one of a resource that is gone stays while a container has a device of it. */
  follow({ resources }: Pick<DeviceTree, "resources">): void {
    for (const offered of resources.values()) if (!this.publish(offered)) return;
    const allocated = readAllocatedDevices(this.#host);
    if (allocated === undefined) return;
    const needed = new Set([...resources.keys(), ...allocated.keys()].map(formatCdiFileName));
    this.#attempt(() => {
      const present = this.#host.files.list(this.#host.paths.cdi) ?? [];
      for (const name of present) if (isOwnCdiFile(name) && !needed.has(name)) this.#remove(name);
    });
  }

  #format({ pool, devices }: OfferedPool): string | undefined {
    const grants = [...devices.values()].flatMap(({ address, selector }) => {
      const live = readLiveDevice(this.#host, address);
      return live === undefined
        ? []
        : [[address, readDeviceGrant(this.#host, live, pool, selector)] as const];
    });
    return formatCdiSpec(pool.name, new Map(grants));
  }

  #write(name: string, text: string): void {
    const path = `${this.#host.paths.cdi}/${name}`;
    if (this.#written.get(name) === text && this.#host.files.stat(path) !== undefined) return;
    this.#host.files.makeFolder(this.#host.paths.cdi, 0o755);
    this.#host.files.writeAtomic(path, text, 0o644);
    this.#written.set(name, text);
  }

  #remove(name: string): void {
    this.#host.files.remove(`${this.#host.paths.cdi}/${name}`);
    this.#written.delete(name);
  }

  #attempt(action: () => void): boolean {
    try {
      action();
      this.#problem = "";
      return true;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (error.message !== this.#problem) this.#log.error({ error }, "cannot keep the CDI files");
      this.#problem = error.message;
      return false;
    }
  }
}
