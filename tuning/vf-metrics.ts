// What went through each VF that is in a pod, by the word of its driver in there: read when someone asks for the metrics.

import { Counter, Gauge, type Registry } from "prom-client";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { TrafficCounters } from "../host/netlink/netlink.ts";
import type { Attachment } from "../sriov/attachment.ts";
import { readPciNetdevs } from "../sriov/pci-device.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { findLinkInside } from "../sriov/vf-locate.ts";
import { labelVf, trafficMetrics, vfLabels } from "../sriov/vf-metrics.ts";
import type { NodeState } from "./node-state.ts";
import { openRecordNetns } from "./record-netns.ts";

type Eyes = Pick<Host, "files" | "paths" | "namespaces" | "openNetlink">;

/** What of a pass the metrics need. */
export type SeenVfs = Pick<NodeState, "facts" | "vfs">;

/** Adds the metrics to `registry`; gives the way to tell them what a pass saw. */
export function addVfMetrics(host: Eyes, registry: Registry): (state: SeenVfs) => void {
  let state: SeenVfs | undefined;
  const registers = [registry];
  // The first that is asked reads for all: they follow without a break in the order of their registration.
  void new Gauge({
    name: "virtfn_pod_vfs_uncounted",
    help: "VFs in pods whose counters could not be read: the pod is on its way out, or its namespace cannot be entered.",
    registers,
    collect() {
      for (const counter of counters.values()) counter.reset();
      let uncounted = 0;
      const pfNames = new Map<PciAddress, string>();
      for (const { record } of state?.vfs ?? []) {
        const { address, pf, vf } = record.device;
        const values = readPodCounters(host, record);
        if (values === undefined) {
          uncounted += 1;
          continue;
        }
        const pfName = pfNames.get(pf) ?? readPciNetdevs(host, pf)[0] ?? pf;
        pfNames.set(pf, pfName);
        const labels = labelVf(pfName, vf, state?.facts.resourceOf.get(address), record.owner.pod);
        for (const [name, value] of Object.entries(values)) counters.get(name)?.inc(labels, value as number);
      }
      this.set(uncounted);
    },
  });
  const counters = new Map<string, Counter<(typeof vfLabels)[number]>>(
    trafficMetrics.map(({ counter, name, what }) => [
      counter,
      new Counter({
        name: `virtfn_pod_vf_${name}`,
        help: `${what}, as its network driver in the pod counts. Programs that go around the kernel are not counted.`,
        labelNames: [...vfLabels],
        registers,
      }),
    ]),
  );
  return (next) => {
    state = next;
  };
}

/** `undefined` when the pod or its VF is not there any more, or cannot be looked at. */
function readPodCounters(host: Eyes, record: Attachment): TrafficCounters | undefined {
  try {
    using netns = openRecordNetns(host, record);
    if (netns === undefined) return undefined;
    using netlink = host.openNetlink(netns);
    const { address } = record.device;
    // Asked for by its name first: a list of all links takes several times as long.
    const named = netlink.getLinkCounters({ name: record.interface });
    if (named?.parentDevice === address) return named.counters;
    const link = findLinkInside(host, netlink, netns, address);
    return link && netlink.getLinkCounters({ index: link.index })?.counters;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
