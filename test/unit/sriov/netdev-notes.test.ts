// What tuning changed on a netdev is put back when its VF is on the host again, for the owner that it was noted for.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { ownerToken } from "../../../sriov/attachment.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { restoreNapiValues } from "../../../sriov/napi-values.ts";
import { readNetdevNotes, restoreNotedValues } from "../../../sriov/netdev-notes.ts";
import { ownSysfs } from "../../../sriov/queue-masks.ts";
import { writeTuningRecord } from "../../../sriov/tuning-store.ts";
import { createTuningNode } from "../../support/tuning-node.ts";

test.each([
  ["this", "0"],
  ["another", "1"],
])("after %s owner's pod the netdev's threaded is %s", (whose, expected) => {
  using node = createTuningNode();
  const { host } = node;
  const { owner } = node.attach(0, "web-1");
  node.detach(0, "web-1");
  const vf = readVf(host, node.address(0));
  if (vf === undefined) throw new Error("no VF");
  const path = `${host.paths.sys}/class/net/ens1f0v0`;
  host.files.writeText(`${path}/threaded`, "1");
  const originals = [
    { path: "threaded", original: "0" },
    { path: "queues/rx-0/rps_flow_cnt", original: "64" },
  ];
  const noted = { owner: ownerToken(owner), originals };
  writeTuningRecord(host, {
    address: vf.address,
    bootId: host.clock.bootId(),
    inode: String(vf.inode),
    vectors: [],
    values: noted,
  });
  const asked = whose === "this" ? owner : { ...owner, containerId: "another" };
  restoreNotedValues(host, "ens1f0v0", readNetdevNotes(host, vf, asked));
  expect(host.files.readText(`${path}/threaded`)?.trim()).toBe(expected);
  expect(host.files.readText(`${path}/queues/rx-0/rps_flow_cnt`)?.trim()).toBe("0");
});

// Some drivers (mlx5, ena) have their NAPI instances only while the netdev is up. Source: Linux 6.12 net/core/net-sysfs.c, modify_napi_threaded.
test("a value that a netdev without NAPI instances refuses keeps no pod from ending", () => {
  using node = createTuningNode();
  const path = `${node.host.paths.sys}/class/net/ens1f0v0/threaded`;
  node.host.files.writeText(path, "1");
  const writeText = (at: string, text: string): void => {
    if (at.endsWith("/threaded")) throw new SystemCallError("write", at, "EOPNOTSUPP");
    node.host.files.writeText(at, text);
  };
  const host = { ...node.host, files: { ...node.host.files, writeText } };
  const notes = { values: [{ path: "threaded", original: "0" }], channels: undefined };
  expect(() => restoreNotedValues(host, "ens1f0v0", notes)).not.toThrow();
  expect(() => restoreNapiValues(ownSysfs(host), "ens1f0v0", { threaded: "0" })).not.toThrow();
  expect(node.host.files.readText(path)?.trim()).toBe("1");
  restoreNapiValues(ownSysfs(node.host), "ens1f0v0", { threaded: "0", gro_flush_timeout: "0" });
  expect(node.host.files.readText(path)?.trim()).toBe("0");
});
