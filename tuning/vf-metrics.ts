// What went through each VF that is in a pod, by the word of its driver in there: read when someone asks for the metrics.

import { Counter, Gauge, type Registry } from "prom-client";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { TrafficCounters } from "../host/netlink/netlink.ts";
import { readPciNetdevs } from "../sriov/pci-device.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { labelVf, trafficMetrics, vfLabels } from "../sriov/vf-metrics.ts";
import type { NodeState, TunedVf } from "./node-state.ts";
import { openRecordNetns } from "./record-netns.ts";

type Eyes = Pick<Host, "files" | "paths" | "namespaces">;

/** What of a pass the metrics need. */
export interface SeenVfs {
  readonly facts: Pick<NodeState["facts"], "resourceOf">;
  readonly vfs: readonly Pick<TunedVf, "record" | "netdev">[];
}

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
      const namePf = createPfNamer(host);
      for (const seen of state?.vfs ?? []) {
        const { record } = seen;
        const { address, pf, vf } = record.device;
        const values = readPodCounters(host, seen);
        if (values === undefined) {
          uncounted += 1;
          continue;
        }
        const labels = labelVf(namePf(pf), vf, state?.facts.resourceOf.get(address), record.owner.pod);
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

/** Gives the netdev of a PF, looked for once, for the labels of a VF; its address where it has none. */
export function createPfNamer(host: Pick<Eyes, "files" | "paths">): (pf: PciAddress) => string {
  const names = new Map<PciAddress, string>();
  return (pf) => {
    const name = names.get(pf) ?? readPciNetdevs(host, pf)[0] ?? pf;
    names.set(pf, name);
    return name;
  };
}

/** `undefined` when the pod or its VF is not there any more, or cannot be looked at. */
function readPodCounters(
  host: Eyes,
  { record, netdev }: Pick<TunedVf, "record" | "netdev">,
): TrafficCounters | undefined {
  if (netdev === undefined) return undefined;
  try {
    using netns = openRecordNetns(host, record);
    return netns && host.namespaces.readCounters(netns).get(netdev);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
