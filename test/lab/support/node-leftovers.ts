// What virtfn and host-local keep on the node's disk about pods: records of VFs, and leases of the VFs' network.
import type { LabNode } from "../node/lab-node.ts";

export interface NodeFile {
  readonly path: string;
  readonly text: string;
}

export interface Leftovers {
  readonly records: readonly NodeFile[];
  /** One file per address; its first line is the owner's container id. */
  readonly leases: readonly NodeFile[];
}

/** All records and all leases of VFs (the range of deploy/kustomize/overlays/lab), with their contents. */
export async function readLeftovers(node: LabNode): Promise<Leftovers> {
  const [records, leases] = await Promise.all([
    readFiles(node, "/var/lib/virtfn/attachments/*.json"),
    readFiles(node, "/var/lib/cni/networks/*/10.56.0.*"),
  ]);
  return { records, leases };
}

async function readFiles(node: LabNode, pattern: string): Promise<readonly NodeFile[]> {
  const listing = await node.run(
    `shopt -s nullglob; for file in ${pattern}; do echo "$file $(base64 -w0 <"$file")"; done`,
  );
  return listing
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [path = "", content = ""] = line.split(" ");
      return { path, text: Buffer.from(content, "base64").toString() };
    });
}
