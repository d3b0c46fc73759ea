// What tuning did to the node itself is undone before anything else goes.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { uninstall } from "../../../../cli/uninstall/uninstall.ts";
import { writeRfsNote } from "../../../../sriov/rfs-note.ts";
import { createFakeHost } from "../../../support/fake-host.ts";

const folders = {
  binDir: "/opt/cni/bin",
  confDir: "/etc/cni/net.d",
  kubeletRoot: "/var/lib/kubelet",
};

test("the node's table of socket flows is as it was before tuning", async () => {
  using node = createFakeHost();
  const table = join(node.root, "proc/sys/net/core/rps_sock_flow_entries");
  fs.mkdirSync(join(table, ".."), { recursive: true });
  fs.writeFileSync(table, "32768");
  writeRfsNote(node.host, { original: 16_384, written: [32_768] });
  await uninstall(node.host, folders);
  expect(Number(fs.readFileSync(table, "utf8"))).toBe(16_384);
  expect(fs.existsSync(node.host.paths.rfsNote)).toBe(false);
});
