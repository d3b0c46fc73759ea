// The counters of VFs as metrics name them: the device plugin tells the PF's side, tuning the pod's, each for the same VFs.

import type { TrafficCounters } from "../host/netlink/netlink.ts";

/** What tells one VF from others, and who has it. Empty text where there is none. */
export const vfLabels = ["pf", "vf", "resource", "namespace", "pod"] as const;

export type VfLabels = Readonly<Record<(typeof vfLabels)[number], string>>;

/** End of the name, and what is counted, for each counter. */
export const trafficMetrics: readonly {
  readonly counter: keyof TrafficCounters;
  readonly name: string;
  readonly what: string;
}[] = [
  { counter: "rxBytes", name: "rx_bytes_total", what: "Bytes received by the VF" },
  { counter: "txBytes", name: "tx_bytes_total", what: "Bytes sent by the VF" },
  { counter: "rxPackets", name: "rx_packets_total", what: "Packets received by the VF" },
  { counter: "txPackets", name: "tx_packets_total", what: "Packets sent by the VF" },
  { counter: "rxDropped", name: "rx_dropped_total", what: "Packets to the VF that were dropped" },
  { counter: "txDropped", name: "tx_dropped_total", what: "Packets from the VF that were dropped" },
];

/** The labels of VF `vf` of the PF whose netdev is `pf`. */
export function labelVf(
  pf: string,
  vf: number,
  resource: string | undefined,
  pod: { readonly namespace: string; readonly name: string } | undefined,
): VfLabels {
  return {
    pf,
    vf: String(vf),
    resource: resource ?? "",
    namespace: pod?.namespace ?? "",
    pod: pod?.name ?? "",
  };
}
