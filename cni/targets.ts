// Which VFs an ADD is about, and what each is called in the pod.

import type { Host } from "../host/host.ts";
import type { Checkpoint } from "../kubelet/checkpoint.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { ConfigError } from "../sriov/config-problems.ts";
import type { CniConfig, PodNetwork } from "./config.ts";
import type { CniCall } from "./environment.ts";
import { EnvironmentError, NotAllocatedError, SecondEntryError } from "./errors.ts";
import { listHandedOut } from "./handed-out.ts";
import { readKubeletFacts } from "./kubelet-facts.ts";
import type { PodArguments } from "./pod-arguments.ts";
import { findResource, judgeChoice, listPodDevices } from "./pod-devices.ts";
import { describePod } from "./request.ts";

/** One VF to attach. */
export interface Target {
  readonly address: PciAddress;
  /** Name in the pod. */
  readonly interface: string;
  readonly network: PodNetwork;
  readonly pickedBy: "kubelet" | "cni";
  /** What the kubelet calls it; undefined for a VF that it does not hand out. */
  readonly resource?: string | undefined;
}

const multusKey = "k8s.v1.cni.cncf.io/networks";
/** What runtimes call the interface of the pod's own network. Source: containerd go-cni, CRI-O ocicni. */
const firstInterface = "eth0";

/**
 * The given device as CNI_IFNAME; else all VFs that the kubelet gave to the pod: chained, none for a pod without, and for one that
 * Multus serves; first in the list, where they are its network, that is an error. Throws ERR_CNI_ENVIRONMENT without K8S_POD_UID,
 * ERR_NETWORK_CONFIG, ERR_NOT_ALLOCATED, ERR_CNI_SECOND_ENTRY, ERR_CNI_KUBELET.
 */
export async function findTargets(
  host: Pick<Host, "files" | "paths" | "clock">,
  call: CniCall,
  config: CniConfig,
  pod: PodArguments,
): Promise<readonly Target[]> {
  if (config.device !== undefined) return findDevice(host, call, config, pod);
  const isFirst = config.prevResult === undefined;
  // Anything else is a network of Multus without the resource that it is for.
  if (isFirst && call.ifName !== firstInterface)
    throw new ConfigError(`network "${config.name}"`, [
      `deviceID: expected a PCI address, or prevResult of a plugin before this one in the list; got neither, and ${call.ifName} is not the pod's first interface`,
    ]);
  if (pod.uid === undefined)
    throw new EnvironmentError(["CNI_ARGS: expected K8S_POD_UID to find the pod's devices by, got none"]);
  const isLeft = !config.withMultus && isServedByMultus(config.annotations);
  const found = isLeft ? [] : listFound(await readKubeletFacts(host, pod.pod), pod.uid, config);
  if (isFirst && found.length === 0)
    throw withoutNetwork(describePod({ call, pod }, call.ifName), config, isLeft);
  checkNotAttached(config, found);
  checkSingleChoices(config, found.length);
  return nameInterfaces(found, isFirst ? call.ifName : undefined);
}

interface Found {
  readonly address: PciAddress;
  readonly network: PodNetwork;
}

function listFound(facts: Checkpoint | undefined, uid: string, { networks }: CniConfig): readonly Found[] {
  return networks.flatMap((network) =>
    listPodDevices(facts, uid, network.resource).map((address) => ({ address, network })),
  );
}

function withoutNetwork(who: string, { networks }: CniConfig, isLeft: boolean): NotAllocatedError {
  const resources = networks.map(({ resource }) => resource).join(", ");
  const reason = isLeft
    ? "it names networks for Multus, which its VFs are left to (withMultus)"
    : `the kubelet gave it no ${resources}`;
  return new NotAllocatedError(`no network for ${who}: ${reason}`);
}

async function findDevice(
  host: Pick<Host, "files" | "paths" | "clock">,
  call: CniCall,
  { device, isDeviceWish, networks }: CniConfig,
  pod: PodArguments,
): Promise<readonly Target[]> {
  const network = networks[0];
  if (device === undefined || network === undefined) return [];
  const facts = await readKubeletFacts(host, pod.pod);
  const pickedBy = judgeChoice(facts, pod.uid, device, listHandedOut(host, facts));
  // What the kubelet does not hand out may be kept for others: whoever writes networks may name it, a pod may not.
  if (pickedBy === "cni" && isDeviceWish && isKubernetes(pod))
    throw new NotAllocatedError(
      `refusing to give ${device} to ${describePod({ call, pod }, call.ifName)}: runtimeConfig alone names it, as for a pod that asks Multus for a device, and it was not allocated to that pod`,
    );
  const resource = findResource(facts, pod.uid, device);
  return [{ address: device, interface: call.ifName, network, pickedBy, resource }];
}

function isKubernetes({ uid, values }: PodArguments): boolean {
  return uid !== undefined || values["K8S_POD_NAME"] !== undefined;
}

/** `first`: the first one's name; the others', or all names, are PREFIX1, PREFIX2, ... */
function nameInterfaces(found: readonly Found[], first: string | undefined): readonly Target[] {
  const counts = new Map<string, number>();
  return found.map(({ address, network }, at) => {
    const { resource, ifNamePrefix } = network;
    const target = { address, network, pickedBy: "kubelet", resource } as const;
    if (at === 0 && first !== undefined) return { ...target, interface: first };
    const number = (counts.get(ifNamePrefix) ?? 0) + 1;
    counts.set(ifNamePrefix, number);
    return { ...target, interface: `${ifNamePrefix}${number}` };
  });
}

/** Whether the pod names networks of its own for Multus. */
export function isServedByMultus(annotations: CniConfig["annotations"]): boolean {
  const networks = annotations[multusKey]?.trim();
  return networks !== undefined && networks !== "" && networks !== "[]";
}

function checkNotAttached({ prevResult }: CniConfig, found: readonly Found[]): void {
  const attached = prevResult?.interfaces.find((nic) =>
    found.some(({ address }) => nic.pciID?.toLowerCase() === address),
  );
  if (attached === undefined) return;
  throw new SecondEntryError(
    `${attached.pciID} is ${attached.name} already: expected one virtfn entry in the plugin list, got a second one`,
  );
}

// One MAC or address cannot be for two VFs.
function checkSingleChoices({ name, choices, networks }: CniConfig, count: number): void {
  if (count < 2) return;
  const problems: string[] = [];
  if (choices.mac !== undefined || networks.some((network) => network.mac !== undefined))
    problems.push(`mac: expected none for a pod with ${count} VFs`);
  if (choices.ips !== undefined || networks.some((network) => network.ips.length > 0))
    problems.push(`ips: expected none for a pod with ${count} VFs`);
  if (problems.length > 0) throw new ConfigError(`network "${name}"`, problems);
}
