// Multus as the node's configuration: right by itself, a warning beside an entry of ours that it hands on.

import { expect, test } from "vitest";

import { findTrouble } from "../../../support/call-doctor.ts";
import { createDoctorNode } from "../../../support/doctor-node.ts";

const multus = "/etc/cni/net.d/00-multus.conf";
const cluster = "/etc/cni/net.d/10-cluster.conflist";
const [bridge, ours] = [{ type: "bridge" }, { type: "virtfn", networks: [{}] }];

test.each(["multus", "multus-shim"])(
  "%s, given the cluster's network without us, is all right",
  async (type) => {
    using node = createDoctorNode();
    node.write(multus.slice(1), JSON.stringify({ type, delegates: [{ plugins: [bridge] }] }));
    expect((await findTrouble(node)).told).toEqual([]);
  },
);

test.each(["/host/etc/cni/net.d/20-other.conflist", "20-other", "a-definition"])(
  "so it is where Multus is given another network, %s",
  async (clusterNetwork) => {
    using node = createDoctorNode();
    node.write(multus.slice(1), JSON.stringify({ type: "multus-shim", clusterNetwork }));
    node.write("etc/cni/net.d/20-other.conflist", JSON.stringify({ plugins: [bridge] }));
    expect((await findTrouble(node)).told).toEqual([]);
  },
);

test.each([
  ["given in a list", { type: "multus", delegates: [{ plugins: [bridge, ours] }] }, multus],
  ["given alone", { type: "multus", delegates: [bridge, ours] }, multus],
  ["found in the folder", { type: "multus-shim" }, cluster],
  ["in the file that it names", { type: "multus-shim", clusterNetwork: `/host${cluster}` }, cluster],
  [
    "in the file that it names, beside delegates, which count for nothing then",
    { type: "multus", clusterNetwork: "10-cluster", delegates: [bridge] },
    cluster,
  ],
])(
  "an entry of ours, %s: pods that name networks would get their VF twice",
  async (_, configuration, path) => {
    using node = createDoctorNode();
    node.write(multus.slice(1), JSON.stringify(configuration));
    const { exitCode, told } = await findTrouble(node);
    expect(exitCode).toBe(0);
    expect(told).toMatchObject([
      {
        check: "cni-configuration",
        severity: "warn",
        seen: `${multus} calls Multus, which hands on the entry of virtfn in ${path}`,
        fix: `take the entry out of ${path}, and install with --no-conflist (overlay multus)`,
      },
    ]);
  },
);
