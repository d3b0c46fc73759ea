// The attachment records on the lab's node, as far as tests compare them with what pods have.
import type { Attachment } from "../../../sriov/attachment.ts";
import type { LabNode } from "../node/lab-node.ts";
import { readLeftovers } from "./node-leftovers.ts";

/** All records as this release writes them, in no order. */
export async function readPodRecords(node: LabNode): Promise<readonly Attachment[]> {
  const { records } = await readLeftovers(node);
  return records.map(({ text }): Attachment => JSON.parse(text));
}
