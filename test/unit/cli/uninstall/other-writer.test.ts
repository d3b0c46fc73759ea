// Uninstall beside another program that writes the same configuration list.

import * as fs from "node:fs";

import { expect, test } from "vitest";

import { uninstall } from "../../../../cli/uninstall/uninstall.ts";
import type { Host } from "../../../../host/host.ts";
import { conflist, folders, install, list, makeNode } from "../../../support/installed-node.ts";

test("what the main CNI writes while the entry is taken out stays, and the next run takes it out of that", async () => {
  using node = makeNode();
  install(node);
  const newer = fs.readFileSync(conflist(node), "utf8").replace("bridge", "ptp");
  const files: Host["files"] = {
    ...node.host.files,
    replaceUnchanged: (...args) => {
      node.host.files.writeAtomic(conflist(node), newer, 0o644);
      return node.host.files.replaceUnchanged(...args);
    },
  };
  await expect(uninstall({ ...node.host, files }, folders)).rejects.toMatchObject({ code: "ERR_UNINSTALL" });
  expect(fs.readFileSync(conflist(node), "utf8")).toBe(newer);
  await uninstall(node.host, folders);
  expect(fs.readFileSync(conflist(node), "utf8")).toBe(list.replace("bridge", "ptp"));
});
