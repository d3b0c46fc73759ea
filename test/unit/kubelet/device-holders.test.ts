// Which pods the kubelet gave a device to, by the node's own checkpoint.

import { expect, test } from "vitest";

import { createPaths } from "../../../host/paths.ts";
import { readHolders } from "../../../kubelet/device-holders.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const device = "0000:3b:02.1";

test("a container sees it through the node's root; without one, or with one that is cut off, nothing is known", () => {
  using node = createFakeHost();
  const { files } = node.host;
  const host = { files, paths: createPaths("/nowhere", node.root) };
  expect(readHolders(host, device)).toBeUndefined();
  node.allocate("uid-web-1", { app: [device] });
  expect(readHolders(host, device)).toEqual(["uid-web-1"]);
  expect(readHolders(host, "0000:3b:02.2")).toEqual([]);
  files.writeAtomic(node.host.paths.kubelet.checkpoint, "{");
  expect(readHolders(host, device)).toBeUndefined();
});
