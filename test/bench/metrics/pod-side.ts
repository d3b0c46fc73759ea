// A scrape of tuning: as many network namespaces as VFs, entered for real, with a virtual link in each that stands for the VF.

import { execFileSync } from "node:child_process";

import { createHost } from "../../../host/create-host.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { addVfMetrics } from "../../../tuning/vf-metrics.ts";
import { makeAttachment } from "../../support/attached-vf.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { makeMachine } from "../deviceplugin/machine.ts";
import { Registry } from "prom-client";
import { measureScrapes, type ScrapeFigures, type Scrapes } from "./pf-side.ts";

/** From asking for the metrics to their text. Needs root and iproute2. */
export async function measurePodSide(vfs: number, scrapes: Scrapes): Promise<ScrapeFigures> {
  using tree = createFixtureTree(makeMachine(vfs));
  using pods = createPods(vfs);
  const kernel = createHost();
  const host = { ...createHost({ root: tree.root, hostRoot: "/" }), namespaces: kernel.namespaces };
  const addresses = [...readInventory(host).vfs.keys()];
  const seen = addresses.map((address, at) => {
    const netns = pods.paths[at] ?? "";
    using handle = kernel.namespaces.open(netns);
    const owned = { address, pod: `web-${at}`, netns, cookie: handle?.cookie ?? 0n };
    return { record: makeAttachment(host, owned), netdev: "net1" };
  });
  const registry = new Registry();
  const follow = addVfMetrics(host, registry);
  const facts = { resourceOf: new Map(addresses.map((address) => [address, "sriov/vf"])) };
  follow({ facts, vfs: seen });
  return await measureScrapes(registry, scrapes, "_vf_rx_bytes_total{", vfs);
}

interface Pods extends Disposable {
  readonly paths: readonly string[];
}

function createPods(count: number): Pods {
  const prefix = `virtfn-b-${crypto.randomUUID().slice(0, 8)}`;
  const names = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
  const made: string[] = [];
  const remove = (): void => {
    for (const name of made) execFileSync("ip", ["netns", "del", name]);
  };
  try {
    for (const name of names) {
      execFileSync("ip", ["netns", "add", name]);
      made.push(name);
      const link = ["link", "add", "net1", "type", "veth", "peer", "name", "net1p"];
      execFileSync("ip", ["-n", name, ...link]);
    }
  } catch (error) {
    remove();
    throw error;
  }
  return { paths: names.map((name) => `/run/netns/${name}`), [Symbol.dispose]: remove };
}
