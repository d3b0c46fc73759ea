// Whether the node's administrator allows what networks and pods ask for (/etc/virtfn/node.yaml).

import type { Host } from "../host/host.ts";
import { ConfigError, describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { findLimits, readNodeConfig, type NodeConfig, type VfLimits } from "../sriov/node-config.ts";
import type { CniConfig, PodNetwork } from "./config.ts";
import type { Target } from "./targets.ts";

const where = "/etc/virtfn/node.yaml";

/** The node's configuration, which allows all that is asked for. Throws ERR_NETWORK_CONFIG with everything that the node does not allow, ERR_NODE_CONFIG for a file that is not understood. */
export async function checkNodeLimits(
  host: Pick<Host, "files" | "paths">,
  config: Pick<CniConfig, "name" | "choices">,
  targets: readonly Pick<Target, "network" | "resource">[],
): Promise<NodeConfig> {
  const node = await readNodeConfig(host);
  const problems = new Set(checkPolicy(node, config.choices.tuning));
  for (const { resource, network } of targets) {
    const limits = findLimits(node, resource);
    if (network.driver !== undefined && limits?.driver !== network.driver)
      problems.add(`driver: ${where} does not allow ${network.driver} in limits of ${resource ?? '"*"'}`);
    if (limits === undefined) continue;
    for (const problem of checkNetwork(limits, network)) problems.add(problem);
  }
  if (problems.size > 0) throw new ConfigError(`network "${config.name}"`, [...problems]);
  return node;
}

function checkPolicy(
  { allowedPodPolicies: allowed }: NodeConfig,
  asked: CniConfig["choices"]["tuning"],
): readonly ConfigProblem[] {
  if (asked === undefined || allowed.includes(asked)) return [];
  const expected = `a policy that ${where} allows to pods (${allowed.join(", ") || "none"})`;
  return [describeValue("the pod's interrupt policy", expected, asked)];
}

// Absent settings are as the node has them, and so allowed.
function checkNetwork(limits: VfLimits, network: PodNetwork): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { vlans } = limits;
  const { vlan } = network;
  if (vlan !== undefined && vlans?.some(({ first, last }) => first <= vlan && vlan <= last) === false) {
    const ranges = vlans.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    problems.push(
      describeValue("vlan", `a VLAN that ${where} allows (${ranges.join(", ") || "none"})`, vlan),
    );
  }
  for (const key of ["trust", "spoofchk"] as const) {
    const [allowed, asked] = [limits[key], network[key]];
    if (allowed !== undefined && asked !== undefined && allowed !== asked)
      problems.push(describeValue(key, `"${onOff(allowed)}", as ${where} says`, onOff(asked)));
  }
  return problems;
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}
