// `virtfn status` as a process on this very machine, whatever devices it has.

import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import type { NodeView } from "../../../cli/node/device-view.ts";
import { createChrootNode } from "../../support/chroot-node.ts";

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

test("in a container without the kubelet's folders it sees in those of the node that the device plugin does not run", async () => {
  using node = createChrootNode();
  for (const folder of ["var/lib/kubelet/plugins_registry", "run/virtfn/deviceplugin"])
    mkdirSync(join(node.root, folder), { recursive: true });
  const pools = { format: "1.0", pools: { "sriov/vf": ["0000:99:00.0"] } };
  writeFileSync(join(node.root, "run/virtfn/deviceplugin/pools.json"), JSON.stringify(pools));
  const container = 'mount -t tmpfs none /var/lib/kubelet && /dist/virtfn status; echo "exit $?"';
  const { stdout, stderr } = await node.run(
    `unshare --mount --propagation unchanged sh -c '${container}'; true`,
  );
  expect(stderr).toBe("");
  expect(stdout.replaceAll(/\s+/g, " ")).toMatch(/problem: the device plugin does not run: .* exit 0$/);
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
