// How many devices there are, by what can be done with them.
import { Gauge, type Registry } from "prom-client";

import type { DeviceTree, OfferedDevice } from "./device-tree.ts";

type State = "free" | "used" | "unhealthy" | "left-out";

/** Adds the metric to `registry`; gives the way to tell it what the node has. Resources that are gone have none. */
export function addDeviceMetrics(
  registry: Registry,
): (tree: Pick<DeviceTree, "resources" | "leftOut">) => void {
  const devices = new Gauge<"resource" | "state" | "reason">({
    name: "virtfn_devices",
    help: "VFs by state: free, used (by a pod's record), unhealthy (used or not; reason is what is wrong) or left-out (in no resource; reason is why). Those of a resource add up to what it offers.",
    labelNames: ["resource", "state", "reason"],
    registers: [registry],
  });
  const count = (resource: string, state: State, reason: string, by = 1): void =>
    devices.inc({ resource, state, reason }, by);
  return ({ resources, leftOut }) => {
    devices.reset();
    for (const [resource, offered] of resources) {
      // Also when there are none: a resource that ran empty shall be seen.
      for (const state of ["free", "used"] as const) count(resource, state, "", 0);
      for (const device of offered.devices.values())
        count(resource, stateOf(device), device.problem?.code ?? "");
    }
    for (const { code } of leftOut.values()) count("", "left-out", code);
  };
}

function stateOf({ problem, owner }: OfferedDevice): State {
  if (problem !== undefined) return "unhealthy";
  return owner === undefined ? "free" : "used";
}
