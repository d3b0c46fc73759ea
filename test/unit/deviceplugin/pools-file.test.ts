// What the device plugin knows of its limits where it cannot write them down, and where somebody spoils what it wrote.

import { rmSync } from "node:fs";
import { dirname } from "node:path";

import { pino } from "pino";
import { expect, test } from "vitest";

import type { DeviceTree } from "../../../deviceplugin/device-tree.ts";
import { PoolsFile } from "../../../deviceplugin/pools-file.ts";
import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { parseResourceConfig } from "../../../sriov/resource-config.ts";
import { createFakeHost } from "../../support/fake-host.ts";
import { waitFor } from "../../support/wait-for.ts";

/** Without devices: limits are of resources. */
function offer(...resources: readonly string[]): DeviceTree {
  const text = `resourceList: [${resources.join(", ")}]`;
  const pools = parseResourceConfig(text, { path: "config.yaml", prefix: "sriov" });
  return {
    resources: new Map(pools.map((pool) => [pool.name, { pool, devices: new Map() }])),
    leftOut: new Map(),
    clashes: new Map(),
  };
}

const limited = "{resourceName: front, limits: {vlans: [100], trust: 'off'}}";
const free = "{resourceName: rest, tuning: {policy: none}}";

test("on a full disk it tells the resources whose limits the file does not tell, as another device plugin may have written them", async () => {
  using node = createFakeHost();
  let isFull = false;
  const writeAtomic: Host["files"]["writeAtomic"] = (path, ...rest) => {
    if (isFull && path === node.host.paths.pools) throw new SystemCallError("write", path, "ENOSPC");
    node.host.files.writeAtomic(path, ...rest);
  };
  const host = { ...node.host, files: { ...node.host.files, writeAtomic } };
  const write = async (tree: DeviceTree): Promise<readonly string[]> => [
    ...(await new PoolsFile(host, pino({ enabled: false })).write(tree)),
  ];
  isFull = true;
  expect(await write(offer(limited, free))).toEqual(["sriov/front"]);
  isFull = false;
  expect(await write(offer(limited, free))).toEqual([]);
  isFull = true;
  expect(await write(offer(limited, free))).toEqual([]);
  expect(await write(offer(limited))).toEqual([]);
  expect(await write(offer(limited.replace("}}", "}, tuning: {policy: none}}"), free))).toEqual([]);
  expect(await write(offer(limited.replace("100", "100, 200"), free))).toEqual(["sriov/front"]);
  expect(await write(offer(limited, free.replace("tuning: {policy: none}", "limits: {}")))).toEqual([
    "sriov/rest",
  ]);
  node.host.files.writeAtomic(node.host.paths.pools, "{");
  expect(await write(offer(limited, free))).toEqual(["sriov/front"]);
});

test("it tells when the file is not as it wrote it, and not of what it writes itself", async () => {
  using node = createFakeHost();
  const { pools } = node.host.paths;
  const file = new PoolsFile(node.host, pino({ enabled: false }));
  let losses = 0;
  const watching = file.watch(() => (losses += 1));
  await file.write(offer(limited));
  await file.write(offer(limited, free));
  await Bun.sleep(50);
  expect(losses).toBe(0);
  for (const harm of [
    () => node.host.files.remove(pools),
    () => node.host.files.writeAtomic(pools, "{"),
    () => rmSync(dirname(pools), { recursive: true }),
  ]) {
    const before = losses;
    harm();
    await waitFor("the loss", () => losses > before);
    await file.write(offer(limited, free));
    await Bun.sleep(50);
  }
  const before = losses;
  await Bun.sleep(50);
  watching[Symbol.dispose]();
  node.host.files.remove(pools);
  await Bun.sleep(50);
  expect(losses).toBe(before);
});
