// Whether what networks and pods ask for is allowed: by the node's administrator (/etc/virtfn/node.yaml), and by the resource of the VF.

import { join } from "node:path";

import type { Host } from "../host/host.ts";
import { formatSocketName } from "../kubelet/socket-name.ts";
import { type Advertisement, devicePluginLock, readAdvertisement } from "../sriov/advertised-pools.ts";
import { ConfigError, describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import { hasOwnDeviceInfo } from "../sriov/device-info.ts";
import { findLimits, readNodeConfig, type NodeConfig } from "../sriov/node-config.ts";
import { describeLimit, findContradictions, formatOnOff, type VfLimits } from "../sriov/vf-limits.ts";
import type { CniConfig, PodNetwork } from "./config.ts";
import { LimitsUnknownError } from "./errors.ts";
import type { Target } from "./targets.ts";

const where = "/etc/virtfn/node.yaml";

/** `address` is undefined where the VF is yet to be picked, which no device plugin offers. */
type Asking = Pick<Target, "network" | "resource"> & Partial<Pick<Target, "address">>;

/**
 * The node's configuration, which allows all that is asked for. Throws ERR_NETWORK_CONFIG with everything that the node does not
 * allow, ERR_LIMITS_UNKNOWN, ERR_NODE_CONFIG or ERR_RECORD_CORRUPT for a file that is not understood.
 */
export async function checkNodeLimits(
  host: Pick<Host, "files" | "paths">,
  config: Pick<CniConfig, "name" | "choices">,
  targets: readonly Asking[],
): Promise<NodeConfig> {
  const node = await readNodeConfig(host);
  const isOfResource = targets.some(({ resource }) => resource !== undefined);
  const advertised = isOfResource ? readAdvertisement(host) : undefined;
  if (advertised === undefined) checkNothingIsUntold(host, targets);
  const problems = new Set(checkPolicy(node, config.choices.tuning));
  for (const { resource, address, network } of targets) {
    const named = findNamed(advertised, resource, address);
    const limits = findLimits(node, resource !== undefined && node.limits.has(resource) ? resource : named);
    if (network.driver !== undefined && limits?.driver !== network.driver)
      problems.add(`driver: ${where} does not allow ${network.driver} in limits of ${resource ?? '"*"'}`);
    const ofResource = named === undefined ? undefined : advertised?.rules.get(named)?.limits;
    const sources = [
      { where, limits },
      { where: `the configuration of the resource ${named}`, limits: ofResource },
    ].flatMap((source) => (source.limits === undefined ? [] : [{ ...source, limits: source.limits }]));
    for (const problem of checkNetwork(sources, network)) problems.add(problem);
  }
  if (problems.size > 0) throw new ConfigError(`network "${config.name}"`, [...problems]);
  return node;
}

/** The resource whose configuration counts: of one that is none any more, since it was renamed, the one that has its VF now. */
function findNamed(
  advertised: Advertisement | undefined,
  resource: string | undefined,
  address: string | undefined,
): string | undefined {
  if (advertised === undefined || resource === undefined || address === undefined) return resource;
  const { pools, rules } = advertised;
  if (pools.has(resource) || rules.has(resource)) return resource;
  return [...pools].find(([, ids]) => ids.includes(address))?.[0];
}

/** Where nothing tells the limits of resources: no network may set what they limit on a VF that a device plugin of ours offers. */
function checkNothingIsUntold(host: Pick<Host, "files" | "paths">, targets: readonly Asking[]): void {
  const { files, paths } = host;
  // Its sockets alone do not tell: sriov-network-device-plugin's have the same names.
  const hasRun = (): boolean => files.stat(join(paths.locks, devicePluginLock)) !== undefined;
  const isServed = (resource: string): boolean =>
    [paths.kubelet.pluginsRegistry, paths.kubelet.devicePlugins].some(
      (folder) => files.stat(join(folder, formatSocketName(resource)))?.kind === "socket",
    );
  for (const { address, resource, network } of targets) {
    const isAsking = Object.values(listAsked(network)).some((value) => value !== undefined);
    if (resource === undefined || !isAsking) continue;
    // Without all of /run/virtfn, while the plugin is being started again, only what it wrote for Multus tells of it.
    const isDescribed = address !== undefined && hasOwnDeviceInfo(host, resource, address);
    if (isDescribed || (hasRun() && isServed(resource))) throw new LimitsUnknownError(resource, paths.pools);
  }
}

/** What the network sets of all that can be limited. */
function listAsked({
  vlan,
  trust,
  spoofchk,
}: PodNetwork): Record<keyof VfLimits, number | boolean | undefined> {
  return { vlans: vlan, trust, spoofchk };
}

function checkPolicy(
  { allowedPodPolicies: allowed }: NodeConfig,
  asked: CniConfig["choices"]["tuning"],
): readonly ConfigProblem[] {
  if (asked === undefined || allowed.includes(asked)) return [];
  const expected = `a policy that ${where} allows to pods (${allowed.join(", ") || "none"})`;
  return [describeValue("the pod's interrupt policy", expected, asked)];
}

interface Source {
  readonly where: string;
  readonly limits: VfLimits;
}

// Absent settings are as the node has them, and so allowed. Each place forbids by itself: none can allow what another forbids.
function checkNetwork(sources: readonly Source[], network: PodNetwork): readonly ConfigProblem[] {
  const [first, second] = sources;
  const apart = first && second ? findContradictions(first.limits, second.limits) : [];
  const asked = listAsked(network);
  return (["vlans", "trust", "spoofchk"] as const).flatMap((key) => {
    const value = asked[key];
    if (value === undefined) return [];
    const allowed = sources.map((source) => `${source.where} allows ${describeLimit(source.limits, key)}`);
    if (apart.includes(key)) return [`${names[key]}: expected none: ${allowed.join(", ")}`];
    return sources.flatMap((source) => checkSetting(source, key, value));
  });
}

/** The keys of a network. */
const names = { vlans: "vlan", trust: "trust", spoofchk: "spoofchk" } as const;

function checkSetting(
  { where: place, limits }: Source,
  key: keyof VfLimits,
  asked: number | boolean,
): readonly ConfigProblem[] {
  if (limits[key] === undefined || isAllowed(limits, key, asked)) return [];
  const allowed = describeLimit(limits, key);
  return typeof asked === "number"
    ? [describeValue(names[key], `a VLAN that ${place} allows (${allowed})`, asked)]
    : [describeValue(names[key], `"${allowed}", as ${place} says`, formatOnOff(asked))];
}

function isAllowed({ vlans, ...rest }: VfLimits, key: keyof VfLimits, asked: number | boolean): boolean {
  if (key !== "vlans") return rest[key] === asked;
  return vlans?.some(({ first, last }) => first <= Number(asked) && Number(asked) <= last) === true;
}
