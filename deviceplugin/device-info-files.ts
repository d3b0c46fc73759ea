// Keeps the device-info files of devices that containers have: written at Allocate and at the start, removed when a device is free.
import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { listAttached } from "../sriov/attachment-store.ts";
import { formatDeviceInfoName, parseDeviceInfoName, writeDeviceInfo } from "../sriov/device-info.ts";
import { readVf } from "../sriov/inventory.ts";
import { isPciAddress } from "../sriov/pci-address.ts";
import type { DeviceTree, OfferedDevice } from "./device-tree.ts";
import { readAllocatedDevices } from "./node-facts.ts";

/** The kubelet writes its checkpoint after Allocate: for so long a file stays although the checkpoint knows nothing of it. */
const graceMs = 60_000;

/** The files of one run of the device plugin. Files that cannot be written are a log line: no device depends on them. */
export class DeviceInfoFiles {
  readonly #host: Pick<Host, "files" | "paths" | "clock">;
  readonly #log: Log;
  /** Names of files, and when Allocate wrote them. */
  readonly #given = new Map<string, number>();
  readonly #resources = new Set<string>();
  #isStart = true;
  #problem = "";

  constructor(host: Pick<Host, "files" | "paths" | "clock">, log: Log) {
    this.#host = host;
    this.#log = log;
  }

  /** Writes the files of devices that a container is being given. */
  give(resource: string, devices: readonly OfferedDevice[]): void {
    this.#attempt(() => {
      for (const device of devices.filter(({ address }) => isPciAddress(address))) {
        const name = formatDeviceInfoName(resource, device.address);
        this.#given.set(name, this.#host.clock.monotonicMs());
        this.#write(resource, device);
      }
    });
  }

  /** Files for the devices of `tree` that the kubelet gave away, all anew at the first time; none for devices that are free. */
  follow({ resources }: Pick<DeviceTree, "resources">): void {
    for (const name of resources.keys()) this.#resources.add(name);
    const allocated = readAllocatedDevices(this.#host);
    if (allocated === undefined) return;
    this.#attempt(() => {
      const present = this.#host.files.list(this.#host.paths.deviceInfo) ?? [];
      this.#removeFree(present, allocated);
      const isThere = (name: string): boolean => !this.#isStart && present.includes(name);
      for (const [resource, { devices }] of resources) {
        for (const id of allocated.get(resource) ?? []) {
          const device = isPciAddress(id) ? devices.get(id) : undefined;
          if (device !== undefined && !isThere(formatDeviceInfoName(resource, id)))
            this.#write(resource, device);
        }
      }
      this.#isStart = false;
    });
  }

  #removeFree(present: readonly string[], allocated: ReadonlyMap<string, ReadonlySet<string>>): void {
    const nowMs = this.#host.clock.monotonicMs();
    for (const [name, sinceMs] of this.#given) if (nowMs - sinceMs >= graceMs) this.#given.delete(name);
    const withRecord = new Set<string>(listAttached(this.#host));
    for (const resource of this.#resources) {
      for (const name of present) {
        const id = parseDeviceInfoName(resource, name);
        if (id === undefined || allocated.get(resource)?.has(id) || withRecord.has(id)) continue;
        if (!this.#given.has(name)) this.#host.files.remove(`${this.#host.paths.deviceInfo}/${name}`);
      }
    }
  }

  #write(resource: string, { address, selector }: OfferedDevice): void {
    const vf = isPciAddress(address) ? readVf(this.#host, address) : undefined;
    if (vf !== undefined) writeDeviceInfo(this.#host, resource, vf, selector);
  }

  #attempt(action: () => void): void {
    try {
      action();
      this.#problem = "";
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (error.message !== this.#problem) this.#log.error({ error }, "cannot keep the device-info files");
      this.#problem = error.message;
    }
  }
}
