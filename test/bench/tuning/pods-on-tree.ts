// On a fixture tree: how long a pod that starts alone waits for its pins, and how long tuning holds the lock of a VF.

import type { HeldLock } from "../../../host/lock.ts";
import { readTopology } from "../../../sriov/topology.ts";
import { createNodeFactsReader } from "../../../tuning/node-facts.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { runPass } from "../../../tuning/pass.ts";
import { longestRestMs } from "../../../tuning/reconciler.ts";
import { createFolderHost } from "../../support/tuning-entry.ts";
import type { TuningMachine } from "../../support/tuning-process.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Percentiles, percentilesOf } from "./percentiles.ts";

/** From the first record of an ADD to the second; each is an event for tuning. */
const addMs = 25;

/**
 * Has VF 0 go from pod to pod beside a daemon that has all VFs pinned, `pods` times, each timed from the record that ends an ADD
 * until both of its queues' interrupts are on CPUs of their own.
 */
export async function timePods(machine: TuningMachine, pods: number): Promise<Percentiles> {
  const unpinned = "0-15 0-15 0-15";
  const times: number[] = [];
  for (let pod = 0; pod < pods; pod += 1) {
    machine.detach(0);
    await machine.waitForAffinities(0, unpinned);
    // A node on which nothing happened just before.
    await Bun.sleep(longestRestMs);
    machine.attach(0, `pod-${pod}`, "adding");
    await Bun.sleep(addMs);
    machine.attach(0, `pod-${pod}`);
    const startMs = performance.now();
    await waitFor("the pins", () => arePinned(machine.affinities(0)));
    times.push(performance.now() - startMs);
  }
  return percentilesOf(times);
}

/** What one pass over a node with new pods in all VFs holds the lock of each for: two pins, without masks. */
export async function timeLocks(machine: TuningMachine): Promise<Percentiles> {
  const host = createFolderHost(machine.root);
  const heldMs = new Map<string, number>();
  const acquire: typeof host.locks.acquire = async (name, options) => {
    const lock = await host.locks.acquire(name, options);
    return timed(lock, (ms) => heldMs.set(name, ms));
  };
  const facts = await createNodeFactsReader(host)(() => readTopology(host));
  const memory = createPassMemory(host);
  const pass = await runPass({ ...host, locks: { acquire } }, { memory, facts, lockTimeoutMs: 0 });
  return percentilesOf([...pass.applied.keys()].flatMap((address) => heldMs.get(address) ?? []));
}

function timed(lock: HeldLock, tell: (ms: number) => void): HeldLock {
  const startMs = performance.now();
  return {
    path: lock.path,
    [Symbol.dispose]: () => {
      lock[Symbol.dispose]();
      tell(performance.now() - startMs);
    },
  };
}

function arePinned(affinities: string): boolean {
  const [first = "", second = ""] = affinities.split(" ");
  return [first, second].every((cpus) => /^\d+$/.test(cpus)) && first !== second;
}
