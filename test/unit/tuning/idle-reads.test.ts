// What a pass reads that finds nothing to do: it comes every 30 s on every node.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { createTuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

type Read = "readText" | "list" | "stat";

/** `files` that note each read as "readText PATH". */
function notingReads(files: Host["files"], reads: string[]): Host["files"] {
  function noting<Name extends Read>(name: Name): Host["files"][Name] {
    const read = files[name] as (...args: unknown[]) => unknown;
    return ((path: string, ...rest: unknown[]) => {
      reads.push(`${name} ${path}`);
      return read(path, ...rest);
    }) as Host["files"][Name];
  }
  return { ...files, readText: noting("readText"), list: noting("list"), stat: noting("stat") };
}

test("reads nothing of interrupts and PCI devices twice", async () => {
  using node = createTuningNode(3);
  for (const vf of [0, 1, 2]) node.attach(vf, `web-${vf}`);
  const reads: string[] = [];
  const host = { ...node.host, files: notingReads(node.host.files, reads) };
  const memory = createPassMemory(host);
  await passOnce(host, memory);
  reads.length = 0;
  await passOnce(host, memory);
  const ofHardware = reads.filter((read) => /\/proc\/irq\/|\/sys\/bus\/pci\//.test(read));
  const twice = ofHardware.filter((read, at) => ofHardware.indexOf(read) !== at);
  expect(ofHardware).not.toEqual([]);
  expect(twice.map((read) => read.replace(node.fake.root, ""))).toEqual([]);
});
