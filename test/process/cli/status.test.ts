// `virtfn status` as a process on this very machine, whatever devices it has.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import type { NodeView } from "../../../cli/node/device-view.ts";

const entry = join(import.meta.dirname, "../../../cli/main.ts");

test("it lists every device that can have VFs, without a kubelet, an API server or a daemon", async () => {
  const child = Bun.spawn([process.execPath, entry, "status", "--json"], { stdin: "ignore", stdout: "pipe" });
  const view = JSON.parse(await child.stdout.text()) as NodeView;
  expect(await child.exited).toBe(0);
  const folder = "/sys/bus/pci/devices";
  const devices = existsSync(folder) ? readdirSync(folder) : [];
  const capable = devices.filter((name) => existsSync(join(folder, name, "sriov_totalvfs")));
  expect(view.pfs.map(({ address }) => String(address)).toSorted()).toEqual(capable.toSorted());
});

test("--watch ends at SIGTERM", async () => {
  await using child = Bun.spawn([process.execPath, entry, "status", "--watch"], {
    stdin: "ignore",
    stdout: "pipe",
  });
  const { value } = await child.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).not.toBe("");
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
});
