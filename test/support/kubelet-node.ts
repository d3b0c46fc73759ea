// A fixture machine with a device plugin and a real kubelet, looked at through PodResources: what the node would offer.
import * as fs from "node:fs";
import { dirname, join } from "node:path";

import { createHost } from "../../host/create-host.ts";
import { PodResources } from "../../kubelet/pod-resources.ts";
import type { Machine } from "../fixtures/machines.ts";
import { DevicePluginProcess, type DevicePluginProcessOptions } from "./deviceplugin-process.ts";
import { createFixtureTree, type FixtureTree } from "./fixture-tree.ts";
import { RealKubelet } from "./real-kubelet.ts";
import { waitFor } from "./wait-for.ts";

/** The kubelet lets 100 calls a second through: a look as often as that does not wait for it. */
const lookMs = 20;

/** The machine; disposing it ends both processes. */
export class KubeletNode implements AsyncDisposable {
  readonly tree: FixtureTree;
  readonly way: string;
  readonly #executable: string;
  readonly #options: DevicePluginProcessOptions;
  #plugin: DevicePluginProcess | undefined;
  #kubelet: RealKubelet | undefined;
  #configs = 0;

  /** `way` is the kubelet's folder to register through; `executable` is the kubelet. Nothing runs yet. */
  constructor(
    machine: Machine,
    options: DevicePluginProcessOptions & { readonly way: string; readonly executable: string },
  ) {
    this.tree = createFixtureTree(machine);
    this.way = options.way;
    this.#executable = options.executable;
    this.#options = options;
    fs.mkdirSync(join(this.tree.root, "var/lib/kubelet", this.way), { recursive: true });
  }

  get plugin(): DevicePluginProcess {
    if (this.#plugin === undefined) throw new Error("the device plugin was not started");
    return this.#plugin;
  }

  get kubelet(): RealKubelet {
    if (this.#kubelet === undefined) throw new Error("the kubelet was not started");
    return this.#kubelet;
  }

  startPlugin(): void {
    this.#plugin = new DevicePluginProcess(this.tree.root, this.#options);
  }

  async startKubelet(): Promise<void> {
    this.#kubelet = await RealKubelet.start(this.tree.root, this.#executable);
  }

  /** Puts the configuration in place as the kubelet does with a ConfigMap: a new folder, and the link to it replaced. */
  mountConfig(config: object): void {
    const file = join(this.tree.root, "etc/virtfn/deviceplugin/config.yaml");
    const folder = dirname(file);
    this.#configs += 1;
    const version = `..${this.#configs}`;
    fs.mkdirSync(join(folder, version), { recursive: true });
    fs.writeFileSync(join(folder, version, "config.yaml"), JSON.stringify(config));
    fs.symlinkSync(version, join(folder, "..data_tmp"));
    fs.renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    if (this.#configs === 1) fs.symlinkSync("..data/config.yaml", file);
  }

  /** Milliseconds until GetAllocatableResources shows `count` devices of the resource. */
  async waitForAllocatable(resource: string, count: number, timeoutMs?: number): Promise<number> {
    const startMs = performance.now();
    await this.#look(
      `${count} devices of ${resource} at the kubelet`,
      async (client) => ((await client.getAllocatable()).devices.get(resource)?.length ?? 0) === count,
      timeoutMs,
    );
    return performance.now() - startMs;
  }

  /** Until the kubelet answers at all. */
  async waitForKubelet(timeoutMs: number): Promise<void> {
    await this.#look(
      "the kubelet",
      async (client) => (await client.getAllocatable()) !== undefined,
      timeoutMs,
    );
  }

  /** Until the kubelet says that the pod's container holds exactly these devices. */
  async waitForPodDevices(pod: string, resource: string, ids: readonly string[]): Promise<void> {
    const wanted = ids.toSorted().join();
    await this.#look(`${pod} to hold ${wanted}`, async (client) => {
      const found = await client.get("default", `${pod}-n1`);
      return (found?.containers[0]?.devices.get(resource) ?? []).toSorted().join() === wanted;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plugin?.end("SIGKILL");
    await this.#kubelet?.[Symbol.asyncDispose]();
    this.tree[Symbol.dispose]();
  }

  // A new connection after each failure: that of a kubelet that is gone would be tried again too seldom.
  async #look(
    what: string,
    isSo: (client: PodResources) => Promise<boolean>,
    timeoutMs?: number,
  ): Promise<void> {
    const host = createHost({ root: this.tree.root });
    let client = new PodResources(host, { timeoutMs: 500 });
    try {
      await waitFor(
        what,
        async () => {
          await Bun.sleep(lookMs);
          try {
            return await isSo(client);
          } catch {
            client[Symbol.dispose]();
            client = new PodResources(host, { timeoutMs: 500 });
            return false;
          }
        },
        timeoutMs,
      );
    } finally {
      client[Symbol.dispose]();
    }
  }
}
