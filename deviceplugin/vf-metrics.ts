// What went through each VF, by the word of its PF: read when someone asks for the metrics.
import { Counter, Gauge, type Registry } from "prom-client";

import type { Host } from "../host/host.ts";
import type { DeviceId } from "../sriov/aux-device.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { type PfCounters, readVfCounters } from "../sriov/vf-counters.ts";
import { labelVf, trafficMetrics, type VfLabels, vfLabels } from "../sriov/vf-metrics.ts";
import type { OfferedDevice } from "./device-tree.ts";
import type { Scan } from "./scanner.ts";

type VfCounter = Counter<(typeof vfLabels)[number]>;

/** Adds the metrics to `registry`; gives the way to tell them which PFs there are, and who has which VF. */
export function addVfMetrics(host: Pick<Host, "openNetlink">, registry: Registry): (scan: Scan) => void {
  let scan: Scan | undefined;
  const registers = [registry];
  // The first that is asked reads for all: they follow without a break in the order of their registration.
  void new Gauge({
    name: "virtfn_vf_counters_absent",
    help: "1 for a PF whose VFs have no virtfn_vf_ counters, by reason: driver (does not count: take virtfn_pod_vf_), too-many-vfs (does not fit into the kernel's answer), no-netdev or failed.",
    labelNames: ["pf", "reason"],
    registers,
    collect() {
      this.reset();
      for (const counter of counters.values()) counter.reset();
      if (scan === undefined) return;
      const pfs = readVfCounters(host, scan.pfs.values());
      for (const [pf, told] of pfs) {
        const name = namePf(scan, pf);
        if ("absent" in told) this.set({ pf: name, reason: told.absent.code }, 1);
        else setCounters(counters, told, labelVfsOf(scan, pf));
      }
    },
  });
  const counters: ReadonlyMap<string, VfCounter> = new Map(
    trafficMetrics.map(({ counter, name, what }) => [
      counter,
      new Counter({
        name: `virtfn_vf_${name}`,
        help: `${what}, as the driver of its PF counts. A VF that nothing was counted for has none.`,
        labelNames: [...vfLabels],
        registers,
      }),
    ]),
  );
  return (next) => {
    scan = next;
  };
}

function setCounters(
  counters: ReadonlyMap<string, VfCounter>,
  told: Extract<PfCounters, { readonly counters: unknown }>,
  labels: ReadonlyMap<number, VfLabels>,
): void {
  for (const [vf, values] of told.counters) {
    const of = labels.get(vf);
    if (of === undefined) continue;
    for (const [name, value] of Object.entries(values)) counters.get(name)?.inc(of, value as number);
  }
}

function namePf({ pfs }: Scan, address: PciAddress): string {
  return pfs.get(address)?.netdevs[0] ?? address;
}

/** By VF index. A VF that is in no resource has neither resource nor pod. */
function labelVfsOf({ pfs, resources }: Scan, address: PciAddress): ReadonlyMap<number, VfLabels> {
  const pf = pfs.get(address);
  const offered = new Map<DeviceId, readonly [string, OfferedDevice]>(
    [...resources].flatMap(([resource, { devices }]) =>
      [...devices].map(([vf, device]) => [vf, [resource, device]] as const),
    ),
  );
  const labels = (pf?.vfs ?? []).map((vf, index) => {
    const [resource, device] = offered.get(vf) ?? [];
    return [index, labelVf(pf?.netdevs[0] ?? address, index, resource, device?.owner?.pod)] as const;
  });
  return new Map(labels);
}
