// Which VFs an ADD is about, and what each is called in the pod.

import type { Host } from "../host/host.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { ConfigError } from "../sriov/config-problems.ts";
import type { CniConfig, PodNetwork } from "./config.ts";
import type { CniCall } from "./environment.ts";
import { EnvironmentError, SecondEntryError } from "./errors.ts";
import { listHandedOut } from "./handed-out.ts";
import { readKubeletFacts } from "./kubelet-facts.ts";
import type { PodArguments } from "./pod-arguments.ts";
import { findResource, judgeChoice, listPodDevices } from "./pod-devices.ts";

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

/**
 * The given device as CNI_IFNAME; or, chained, all VFs that the kubelet gave to the pod; none for a pod without, and for one
 * that Multus serves. Throws ERR_CNI_ENVIRONMENT without K8S_POD_UID, ERR_NOT_ALLOCATED, ERR_CNI_SECOND_ENTRY, ERR_CNI_KUBELET.
 */
export async function findTargets(
  host: Pick<Host, "files" | "paths" | "clock">,
  call: CniCall,
  config: CniConfig,
  pod: PodArguments,
): Promise<readonly Target[]> {
  if (config.device !== undefined) return findDevice(host, call, config, pod);
  if (config.prevResult === undefined)
    throw new ConfigError(`network "${config.name}"`, [
      "deviceID: expected a PCI address, or prevResult of a plugin before this one in the list; got neither",
    ]);
  if (pod.uid === undefined)
    throw new EnvironmentError(["CNI_ARGS: expected K8S_POD_UID to find the pod's devices by, got none"]);
  if (!config.withMultus && isServedByMultus(config.annotations)) return [];
  const facts = await readKubeletFacts(host, pod.pod);
  const uid = pod.uid;
  const found = config.networks.flatMap((network) =>
    listPodDevices(facts, uid, network.resource).map((address) => ({ address, network })),
  );
  checkNotAttached(config, found);
  checkSingleChoices(config, found.length);
  return nameInterfaces(found);
}

async function findDevice(
  host: Pick<Host, "files" | "paths" | "clock">,
  call: CniCall,
  { device, networks }: CniConfig,
  pod: PodArguments,
): Promise<readonly Target[]> {
  const network = networks[0];
  if (device === undefined || network === undefined) return [];
  const facts = await readKubeletFacts(host, pod.pod);
  const pickedBy = judgeChoice(facts, pod.uid, device, listHandedOut(host, facts));
  const resource = findResource(facts, pod.uid, device);
  return [{ address: device, interface: call.ifName, network, pickedBy, resource }];
}

function nameInterfaces(
  found: readonly { readonly address: PciAddress; readonly network: PodNetwork }[],
): readonly Target[] {
  const counts = new Map<string, number>();
  return found.map(({ address, network }) => {
    const prefix = network.ifNamePrefix;
    const number = (counts.get(prefix) ?? 0) + 1;
    counts.set(prefix, number);
    const { resource } = network;
    return { address, network, interface: `${prefix}${number}`, pickedBy: "kubelet", resource };
  });
}

/** Whether the pod names networks of its own for Multus. */
export function isServedByMultus(annotations: CniConfig["annotations"]): boolean {
  const networks = annotations[multusKey]?.trim();
  return networks !== undefined && networks !== "" && networks !== "[]";
}

function checkNotAttached(
  { prevResult }: CniConfig,
  found: readonly { readonly address: PciAddress }[],
): void {
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
