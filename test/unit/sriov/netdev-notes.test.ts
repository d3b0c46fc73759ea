// What tuning changed on a netdev is put back when its VF is on the host again, for the owner that it was noted for.

import { expect, test } from "vitest";

import { ownerToken } from "../../../sriov/attachment.ts";
import { readVf } from "../../../sriov/inventory.ts";
import { readNetdevNotes, restoreNotedValues } from "../../../sriov/netdev-notes.ts";
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
