// Remembers how the health of each device went, so that one that keeps changing is not offered at each good moment.
import type { DeviceId } from "../sriov/aux-device.ts";
import type { DeviceTree } from "./device-tree.ts";
import { type HealthState, initialHealth, nextHealth, nextLookMs } from "./health-state.ts";

/** The states of all devices, from the first look to the end of the device plugin. */
export class HealthTracker {
  #states: ReadonlyMap<DeviceId, HealthState> = new Map();

  /** `tree` with what the kubelet is to be told, from what was seen at `nowMs`. */
  apply<Tree extends DeviceTree>(tree: Tree, nowMs: number): Tree {
    const states = new Map<DeviceId, HealthState>();
    const resources = [...tree.resources].map(([name, { pool, devices }]) => {
      const told = [...devices].map(([id, device]) => {
        const state = nextHealth(this.#states.get(id) ?? initialHealth, device.problem, nowMs);
        states.set(id, state);
        return [id, { ...device, problem: state.problem }] as const;
      });
      return [name, { pool, devices: new Map(told) }] as const;
    });
    this.#states = states;
    return { ...tree, resources: new Map(resources) };
  }

  /** When the next look is due although nothing happens; `undefined` when none is. */
  nextLookMs(): number | undefined {
    const times = [...this.#states.values()].map(nextLookMs).filter((atMs) => atMs !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
