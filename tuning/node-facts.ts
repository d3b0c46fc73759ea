// What decides about policies besides the VFs themselves: node.yaml, what the device plugin offers, and who has which CPUs.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { type Advertisement, readAdvertisement } from "../sriov/advertised-pools.ts";
import type { CpuFacts } from "../sriov/cpu-facts.ts";
import { SriovError } from "../sriov/errors.ts";
import { readNodeConfig } from "../sriov/node-config.ts";
import type { PodCpus } from "../sriov/pod-cpus.ts";
import { mergePolicies } from "../sriov/resource-rules.ts";
import type { CpuTopology } from "../sriov/topology.ts";
import type { TuningConfig } from "../sriov/tuning-config.ts";
import { createKubeletReader } from "./kubelet-cpus.ts";
import { describeProblem, type Problem } from "./problem.ts";

/** `resourceOf`: the resource that a VF is offered as, by PCI address. */
export interface NodeFacts extends CpuFacts {
  readonly config: TuningConfig;
  readonly resourceOf: ReadonlyMap<string, string>;
  /** As the kubelet told last; `undefined` where it never did. */
  readonly podCpus: PodCpus | undefined;
  readonly problems: readonly Problem[];
}

const none: PodCpus = { exclusive: new Map(), allocatable: [] };

type Eyes = Pick<Host, "files" | "paths" | "clock">;

/**
 * Gives the facts at each call. What can't be read is a problem, and counts as it was read last, what the kubelet tells also
 * as a daemon before this one wrote it down (`onAnswer`: it tells again after it hung); a node.yaml that was never understood is an error (ERR_NODE_CONFIG): nothing is changed against the will of who wrote it.
 */
export function createNodeFactsReader(
  host: Eyes,
  onAnswer: () => void = () => {},
): (lookAtCpus: () => CpuTopology) => Promise<NodeFacts> {
  const readKubelet = createKubeletReader(host, onAnswer);
  let config: TuningConfig | undefined;
  let advertised: Advertisement | undefined;
  return async (lookAtCpus) => {
    const problems: Problem[] = [];
    function keepLast(about: string, error: unknown): void {
      if (!(error instanceof HostError || error instanceof SriovError)) throw error;
      problems.push(describeProblem("node", about, error));
    }
    try {
      config = (await readNodeConfig(host)).tuning;
    } catch (error) {
      if (config === undefined) throw error;
      keepLast("node.yaml", error);
    }
    const { cpus, error } = await readKubelet();
    if (error !== undefined) keepLast("kubelet", error);
    try {
      advertised = readAdvertisement(host);
    } catch (error) {
      keepLast("pools", error);
    }
    // Last, since one may have come or gone while the kubelet took its time.
    const topology = lookAtCpus();
    return {
      topology,
      config: { ...config, resources: mergePolicies(config, advertised?.rules ?? new Map()) },
      exclusive: cpus?.exclusive ?? new Map(),
      housekeeping: config.housekeepingCpus ?? listHousekeeping(topology, cpus ?? none),
      podCpus: cpus,
      resourceOf: new Map(
        [...(advertised?.pools ?? [])].flatMap(([resource, ids]) => ids.map((id) => [id, resource] as const)),
      ),
      problems,
    };
  };
}

/** CPUs that the kubelet gives to no pod alone (the reserved ones under the static CPU manager, else all), without isolated ones. */
function listHousekeeping(topology: CpuTopology, { exclusive, allocatable }: PodCpus): readonly number[] {
  const others = new Set([...topology.isolated, ...allocatable, ...[...exclusive.values()].flat()]);
  return topology.online.filter((cpu) => !others.has(cpu));
}
