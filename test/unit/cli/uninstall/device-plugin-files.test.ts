// What the device plugin leaves in folders that others share: all of ours goes, and nothing of theirs.

import * as fs from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { expect, test } from "vitest";

import { uninstall } from "../../../../cli/uninstall/uninstall.ts";
import { formatSocketName } from "../../../../kubelet/socket-name.ts";
import { folders, install, makeNode, show } from "../../../support/installed-node.ts";

test("folders that others share go when nothing is left in them, and stay with what others have there", async () => {
  using node = makeNode();
  fs.rmSync(node.host.paths.cdi, { recursive: true });
  const before = show(node);
  install(node);
  await uninstall(node.host, folders);
  expect(show(node)).toBe(before);
  install(node);
  const others = join(node.host.paths.deviceInfo, "other-0000:3b:02.0-device.json");
  fs.writeFileSync(others, "{}");
  await uninstall(node.host, folders);
  expect(fs.existsSync(others)).toBe(true);
});

test("of the kubelet's sockets only ours go", async () => {
  using node = makeNode();
  install(node);
  const folder = node.host.paths.kubelet.devicePlugins;
  for (const name of [formatSocketName("sriov/vf"), "kubelet.sock"]) {
    const server = createServer();
    await new Promise<void>((done) => void server.listen(join(node.root, name), done));
    // The close of a server removes its socket by the name that it was bound with.
    fs.renameSync(join(node.root, name), join(folder, name));
    server.close();
  }
  await uninstall(node.host, folders);
  expect(fs.readdirSync(folder)).toEqual(["kubelet.sock"]);
});

test.each(["/var/lib/kubelet", "/data/kubelet"])(
  "where the kubelet's files are elsewhere its sockets are found there (--kubelet-root=%s)",
  async (kubeletRoot) => {
    using node = makeNode();
    install(node);
    fs.rmSync(join(node.root, "var/lib/kubelet"), { recursive: true });
    fs.mkdirSync(join(node.root, "data/kubelet/plugins_registry"), { recursive: true });
    fs.symlinkSync("/data/kubelet", join(node.root, "var/lib/kubelet"));
    const socket = join(node.root, "data/kubelet/plugins_registry", formatSocketName("sriov/vf"));
    fs.writeFileSync(socket, "");
    await uninstall(node.host, { ...folders, kubeletRoot });
    expect(fs.existsSync(socket)).toBe(false);
  },
);
