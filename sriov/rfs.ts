// Receive flow steering: how large its tables are. Source: Documentation/networking/scaling.rst, RFS.

/** Flows of one VF: what the kernel's documentation suggests for a server. */
const flowsPerVf = 32_768;

/** The largest table of the node, of 4 bytes an entry. */
const mostEntries = 1_048_576;

/** rps_flow_cnt of each of a VF's receive queues: a power of two, together at most what one VF has. */
export function countQueueFlows(queues: number): number {
  return flowsPerVf / roundUp(Math.max(queues, 1));
}

/** The least net.core.rps_sock_flow_entries for so many VFs, a power of two; 0 for none. */
export function countSocketFlows(vfs: number): number {
  return vfs === 0 ? 0 : Math.min(roundUp(vfs * flowsPerVf), mostEntries);
}

function roundUp(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}
