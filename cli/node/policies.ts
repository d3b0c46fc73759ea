// Which tuning policy each VF in a pod has, as the next pass of tuning will have it.

import type { Host } from "../../host/host.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import type { VirtualFunction } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { readTopology } from "../../sriov/topology.ts";
import { createNodeFactsReader } from "../../tuning/node-facts.ts";
import { describePolicy, type PolicyReport } from "../../tuning/policy-report.ts";
import { chooseVfPolicy } from "../../tuning/vf-policy.ts";

/** By VF, for the `records` that hold one. Throws ERR_NODE_CONFIG, SystemCallError. */
export async function readPolicies(
  host: Pick<Host, "files" | "paths" | "clock">,
  vfs: ReadonlyMap<PciAddress, VirtualFunction>,
  records: readonly Attachment[],
): Promise<ReadonlyMap<PciAddress, PolicyReport>> {
  if (records.length === 0) return new Map();
  const facts = await createNodeFactsReader(host)(() => readTopology(host));
  return new Map(
    records.flatMap((record) => {
      const vf = vfs.get(record.device.address);
      return vf === undefined
        ? []
        : [[vf.address, describePolicy(chooseVfPolicy(facts, record, vf))] as const];
    }),
  );
}
