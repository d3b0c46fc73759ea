// The device plugin's metrics, in a registry of its own.
import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { Host } from "../host/host.ts";
import type { UnrecordedDevice } from "../sriov/unrecorded-pods.ts";
import { addDeviceMetrics } from "./device-metrics.ts";
import type { Scan } from "./scanner.ts";
import { addVfMetrics } from "./vf-metrics.ts";

export interface DevicePluginMetrics {
  readonly registry: Registry;
  readonly registered: Gauge<"resource">;
  readonly registrations: Counter<"resource">;
  readonly allocations: Counter<"resource">;
  readonly refusals: Counter<"resource" | "reason">;
  readonly scanSeconds: Histogram;
  readonly scanFailures: Counter;
  readonly configValid: Gauge;
  /** Tells the metrics what the node has now. */
  follow(scan: Scan): void;
  /** The resources of the last look. */
  resources(): ReadonlySet<string>;
  /** Sets which devices have a pod and no record. */
  setUnrecorded(devices: readonly UnrecordedDevice[]): void;
}

/** New metrics, all at their start. What the kernel counts is read from `host` when someone asks. */
export function createMetrics(host: Pick<Host, "openNetlink">): DevicePluginMetrics {
  const registry = new Registry();
  const registers = [registry];
  const followDevices = addDeviceMetrics(registry);
  const followVfs = addVfMetrics(host, registry);
  let resources: ReadonlySet<string> = new Set();
  return {
    registry,
    registered: new Gauge({
      name: "virtfn_registered",
      help: "1 while the kubelet holds a stream of the resource, else 0.",
      labelNames: ["resource"],
      registers,
    }),
    registrations: new Counter({
      name: "virtfn_registrations_total",
      help: "How often the resource became registered with the kubelet.",
      labelNames: ["resource"],
      registers,
    }),
    allocations: new Counter({
      name: "virtfn_allocated_devices_total",
      help: "Devices given to containers by Allocate.",
      labelNames: ["resource"],
      registers,
    }),
    refusals: new Counter({
      name: "virtfn_refused_allocations_total",
      help: "Allocate calls refused, by reason: unknown, vanished, driver or error.",
      labelNames: ["resource", "reason"],
      registers,
    }),
    scanSeconds: new Histogram({
      name: "virtfn_scan_duration_seconds",
      help: "Time to read the PFs and VFs of the node.",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    scanFailures: new Counter({
      name: "virtfn_scan_failures_total",
      help: "Scans of the node that failed; the list before them stayed offered.",
      registers,
    }),
    configValid: new Gauge({
      name: "virtfn_resource_config_valid",
      help: "1 while the resource configuration is in force as it stands, 0 while an earlier one is.",
      registers,
    }),
    follow(scan) {
      resources = new Set(scan.resources.keys());
      followDevices(scan);
      followVfs(scan);
    },
    resources: () => resources,
    setUnrecorded: addUnrecorded(registry),
  };
}

function addUnrecorded(registry: Registry): DevicePluginMetrics["setUnrecorded"] {
  const unrecorded = new Gauge({
    name: "virtfn_unrecorded_devices",
    help: "VFs that a pod has by the kubelet's PodResources for a minute and more, and that no record knows: nothing attached them.",
    labelNames: ["resource", "namespace", "pod"],
    registers: [registry],
  });
  return (devices) => {
    unrecorded.reset();
    for (const { resource, namespace, pod } of devices) unrecorded.inc({ resource, namespace, pod });
  };
}
