// The device plugin's metrics, in a registry of its own.
import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { DeviceTree } from "./device-tree.ts";

export interface DevicePluginMetrics {
  readonly registry: Registry;
  readonly devices: Gauge<"resource">;
  readonly unhealthy: Gauge<"resource" | "reason">;
  readonly registered: Gauge<"resource">;
  readonly registrations: Counter<"resource">;
  readonly allocations: Counter<"resource">;
  readonly refusals: Counter<"resource" | "reason">;
  readonly scanSeconds: Histogram;
  readonly scanFailures: Counter;
  readonly configValid: Gauge;
}

/** New metrics, all at their start. */
export function createMetrics(): DevicePluginMetrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    devices: new Gauge({
      name: "virtfn_devices",
      help: "Devices offered to the kubelet, in use or not.",
      labelNames: ["resource"],
      registers,
    }),
    unhealthy: new Gauge({
      name: "virtfn_unhealthy_devices",
      help: "Devices that the kubelet gives to no pod, by what is wrong with them.",
      labelNames: ["resource", "reason"],
      registers,
    }),
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
  };
}

/** Sets the gauges of devices to what `tree` has; resources that are gone have none. */
export function countDevices(
  { devices, unhealthy }: Pick<DevicePluginMetrics, "devices" | "unhealthy">,
  tree: Pick<DeviceTree, "resources">,
): void {
  devices.reset();
  unhealthy.reset();
  for (const [resource, offered] of tree.resources) {
    devices.set({ resource }, offered.devices.size);
    for (const { problem } of offered.devices.values()) {
      if (problem !== undefined) unhealthy.inc({ resource, reason: problem.code });
    }
  }
}
