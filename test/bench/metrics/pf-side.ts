// A scrape of the device plugin: PFs of 64 VFs on a fixture tree, each VF in a pod; the bytes that the kernel would answer are made up.

import * as fs from "node:fs";

import { createMetrics } from "../../../deviceplugin/metrics.ts";
import { scanDevices } from "../../../deviceplugin/scanner.ts";
import { createHost } from "../../../host/create-host.ts";
import { createLibc, type Libc } from "../../../host/libc.ts";
import { concatBytes, viewOf } from "../../../host/netlink/codec.ts";
import { createNetlink } from "../../../host/netlink/create-netlink.ts";
import { encodeMessage } from "../../../host/netlink/message.ts";
import { writeAttachment } from "../../../sriov/attachment-store.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { defaultResources } from "../../../sriov/resource-config.ts";
import { makeAttachment } from "../../support/attached-vf.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { countersBody } from "../../support/vf-counters-answer.ts";
import { type Spread, spreadOf } from "../cni/figures.ts";
import { makeMachine } from "../deviceplugin/machine.ts";

export interface ScrapeFigures {
  readonly scrapeMs: Spread;
  /** Of the text. */
  readonly kib: number;
}

export interface Scrapes {
  readonly rounds: number;
  /** Ends them between two. */
  readonly signal: AbortSignal;
}

/** From asking for the metrics to their text. The kernel's and the driver's own time is not in it. */
export async function measurePfSide(vfs: number, scrapes: Scrapes): Promise<ScrapeFigures> {
  using tree = createFixtureTree(makeMachine(vfs));
  const real = createHost({ root: tree.root });
  const inventory = readInventory(real);
  for (const { address } of inventory.vfs.values())
    writeAttachment(real, makeAttachment(real, { address, pod: `web-${address}`, netns: "/run/netns/none" }));
  const metrics = createMetrics({ openNetlink: () => openMadeUp(vfs) });
  metrics.follow(scanDevices(real, defaultResources("sriov"), new Map()));
  return await measureScrapes(metrics.registry, scrapes, `_vf_rx_bytes_total{`, vfs);
}

/** Times the text of `registry`; it must have `vfs` lines of `series`. */
export async function measureScrapes(
  registry: { metrics(): Promise<string> },
  { rounds, signal }: Scrapes,
  series: string,
  vfs: number,
): Promise<ScrapeFigures> {
  const taken: number[] = [];
  let text = "";
  for (let round = 0; round < rounds; round += 1) {
    // Signals are seen between turns.
    await new Promise(setImmediate);
    signal.throwIfAborted();
    const startMs = performance.now();
    text = await registry.metrics();
    taken.push(performance.now() - startMs);
  }
  const lines = text.split("\n").filter((line) => line.includes(series)).length;
  if (lines !== vfs) throw new Error(`expected ${vfs} series of ${series}, got ${lines}`);
  return { scrapeMs: spreadOf(taken), kib: Math.round(text.length / 1024) };
}

/** A netlink handle whose every answer is a PF with its share of `vfs`. */
function openMadeUp(vfs: number): ReturnType<typeof createNetlink> {
  const traffic = {
    rxBytes: 1e12,
    txBytes: 2e12,
    rxPackets: 1e9,
    txPackets: 2e9,
    rxDropped: 3,
    txDropped: 4,
  };
  const body = countersBody(Math.min(64, vfs), () => traffic);
  let sequence = 0;
  const libc: Libc = {
    ...createLibc(),
    setsockopt: () => {},
    send: (_fd, request) => void (sequence = viewOf(request).getUint32(8, true)),
    recv: (_fd, into) => {
      const answer = concatBytes([
        encodeMessage({ type: 16, flags: 0, body }, sequence),
        encodeMessage({ type: 2, flags: 0, body: new Uint8Array(4) }, sequence),
      ]);
      into.set(answer);
      return answer.length;
    },
  };
  return createNetlink(libc, fs.openSync("/dev/null", "r"), () => -1);
}
