// Uninstall beside another program that writes the same configuration list.

import * as fs from "node:fs";
import { dirname, join } from "node:path";

import { expect, test } from "vitest";

import { planUninstall } from "../../../../cli/uninstall/plan.ts";
import { describeStep, uninstall } from "../../../../cli/uninstall/uninstall.ts";
import { replaceUnchanged } from "../../../../host/exchange-file.ts";
import type { Host } from "../../../../host/host.ts";
import { createLibc } from "../../../../host/libc.ts";
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

test.each(["install-cni", "uninstall"])(
  "what the main CNI wrote and a killed %s displaced is put back, not taken for a leftover",
  async (killed) => {
    using node = makeNode();
    const path = conflist(node);
    install(node);
    const chained = fs.readFileSync(path, "utf8");
    const [before, text] = killed === "uninstall" ? [chained, list] : [list, chained];
    fs.writeFileSync(path, before);
    const newer = before.replace("bridge", "ptp");
    dieAfterExchange(path, { before, text }, newer);
    expect(fs.readFileSync(path, "utf8")).toBe(text);
    const names = fs.readdirSync(dirname(path));
    const displaced = names.find((name) => name.endsWith(".tmp")) ?? "";
    const inFolder = planUninstall(node.host, folders)
      .map(describeStep)
      .filter((step) => step.includes("net.d"))
      .map((step) => step.replaceAll(`${dirname(path)}/`, "").replace(displaced, "DISPLACED"));
    const taken = killed === "uninstall" ? ["take the entry out of 10-cluster.conflist"] : [];
    expect(inFolder).toEqual(["put DISPLACED back as 10-cluster.conflist", ...taken]);
    expect(fs.readdirSync(dirname(path))).toEqual(names);
    await uninstall(node.host, folders);
    expect(fs.readFileSync(path, "utf8")).toBe(list.replace("bridge", "ptp"));
    expect(fs.readdirSync(dirname(path))).toEqual(["10-cluster.conflist", "20-other.conf"]);
  },
);

/** The folder as `replaceUnchanged` leaves it where `newer` came between its look and its exchange, and it was killed then. */
function dieAfterExchange(
  path: string,
  change: { readonly before: string; readonly text: string },
  newer: string,
): void {
  const libc = createLibc();
  const left = new Map<string, string>();
  replaceUnchanged(path, { ...change, mode: 0o644 }, (temporary, place) => {
    if (left.size === 0) fs.writeFileSync(path, newer);
    libc.exchange(temporary, place);
    if (left.size > 0) return;
    for (const file of [temporary, place]) left.set(file, fs.readFileSync(file, "utf8"));
  });
  for (const [file, text] of left) fs.writeFileSync(join(dirname(path), file.replace(/^.*\//, "")), text);
}
