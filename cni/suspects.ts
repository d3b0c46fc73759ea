// Which VFs a DEL may be about that has no readable record of them.

import type { Host } from "../host/host.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { listHolders, tryReadCheckpoint } from "../kubelet/device-holders.ts";
import { ownerToken } from "../sriov/attachment.ts";
import type { Attachments } from "../sriov/attachment-store.ts";
import { SriovError } from "../sriov/errors.ts";
import { isPciAddress, type PciAddress } from "../sriov/pci-address.ts";
import { findPf } from "../sriov/physical-function.ts";
import { salvageRecord } from "../sriov/salvage-record.ts";
import { getsEachPod } from "./first-entry.ts";
import type { Request } from "./request.ts";
import { isServedByMultus } from "./targets.ts";

/** A VF, and the name that it has in the pod if it is this attachment's. */
export interface Suspect {
  readonly address: PciAddress;
  readonly interface: string;
}

interface Seen {
  /** The pod's namespace; undefined when it is gone. */
  readonly netns: NetnsHandle | undefined;
  readonly unreadable: Attachments["unreadable"];
  /** The caller's owner token. */
  readonly token: string;
}

/** By the configuration, the result of ADD, the pod's namespace and what unreadable records still tell; one may be there twice. */
export function listSuspects(
  host: Pick<Host, "files" | "paths" | "openNetlink">,
  request: Request,
  { netns, unreadable, token }: Seen,
): readonly Suspect[] {
  return [
    ...listNamed(host, request),
    ...findGiven(host, request, netns),
    ...findPicked(host, request, netns),
    ...listSalvaged(host, unreadable, token),
  ];
}

// A given device is CNI_IFNAME; chained, the runtime's copy of our result tells, where it has one.
function listNamed(host: Pick<Host, "files" | "paths">, request: Request): readonly Suspect[] {
  const { call, config, pod } = request;
  if (config.device !== undefined) return [{ address: config.device, interface: call.ifName }];
  return (config.prevResult?.interfaces ?? []).flatMap(({ pciID, name, sandbox }) => {
    const address = pciID?.toLowerCase() ?? "";
    if (!isPciAddress(address) || (sandbox ?? "") === "") return [];
    const isGiven = (): boolean => {
      return listHolders(tryReadCheckpoint(host), address).some((uid) => uid === pod.uid);
    };
    return isNameOfOurs(request, name, isGiven) ? [{ address, interface: name }] : [];
  });
}

// In the result there is what other plugins gave, too. The pod's first interface is ours where the list names a PF, or the kubelet
// gave the VF, which is asked last.
function isNameOfOurs({ call, config }: Request, name: string, isGiven: () => boolean): boolean {
  const { networks, pf } = config;
  if (networks.some(({ ifNamePrefix }) => /^\d+$/.test(tailOf(name, ifNamePrefix)))) return true;
  return name === call.ifName && (pf !== undefined || isGiven());
}

function tailOf(name: string, prefix: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : "";
}

// Chained, runtimes hand over no result before CNI 0.4.0: then it is looked for in the pod what the kubelet gave to it.
function findGiven(
  host: Pick<Host, "files" | "paths" | "openNetlink">,
  request: Request,
  netns: NetnsHandle | undefined,
): readonly Suspect[] {
  if (netns === undefined || isToldOtherwise(request.config)) return [];
  const { uid } = request.pod;
  const kubelet = tryReadCheckpoint(host);
  if (uid === undefined || !kubelet?.pods.has(uid)) return [];
  using inside = host.openNetlink(netns);
  return inside.listLinks().flatMap(({ name, parentDevice = "", kind }) => {
    if (kind !== undefined || !isPciAddress(parentDevice)) return [];
    const isOurs =
      listHolders(kubelet, parentDevice).includes(uid) && isNameOfOurs(request, name, () => true);
    return isOurs ? [{ address: parentDevice, interface: name }] : [];
  });
}

// Neither the configuration nor, without a result, anything else names a VF that was picked by us: it is looked for in the pod.
function findPicked(
  host: Pick<Host, "files" | "paths" | "openNetlink">,
  request: Request,
  netns: NetnsHandle | undefined,
): readonly Suspect[] {
  const { pf } = request.config;
  if (pf === undefined || netns === undefined) return [];
  using home = host.openNetlink();
  using inside = host.openNetlink(netns);
  const vfs = findPf(host, home, pf)?.vfs ?? [];
  return listPickedNames(request).flatMap((name) => {
    const address = vfs.find((vf) => vf === inside.getLink({ name })?.parentDevice);
    return address === undefined ? [] : [{ address, interface: name }];
  });
}

/** What a VF that was picked for this call may be called in the pod: as the only network's, and chained. */
export function listPickedNames({ call, config }: Request): readonly string[] {
  return config.pf === undefined ? [] : [call.ifName, `${config.networks[0]?.ifNamePrefix}1`];
}

/**
 * What VFs that the kubelet gave to this pod are called in it: nothing else tells whose leases to release when the records are lost,
 * the namespace is gone and there is no result of ADD. The pod's first interface is ours where the list begins with us.
 */
export function listGivenNames(host: Pick<Host, "files" | "paths">, request: Request): readonly string[] {
  const { call, config, pod } = request;
  if (isToldOtherwise(config) || pod.uid === undefined) return [];
  const containers = [...(tryReadCheckpoint(host)?.pods.get(pod.uid)?.values() ?? [])];
  const counts = new Map<string, number>();
  for (const { resource, ifNamePrefix } of config.networks) {
    const devices = new Set(containers.flatMap((given) => given.get(resource) ?? []));
    counts.set(ifNamePrefix, (counts.get(ifNamePrefix) ?? 0) + devices.size);
  }
  const names = [...counts].flatMap(([prefix, count]) =>
    Array.from({ length: count }, (_, at) => `${prefix}${at + 1}`),
  );
  return names.length > 0 && getsEachPod(host, request) ? [call.ifName, ...names] : names;
}

// What the kubelet gave to networks of Multus is Multus's.
function isToldOtherwise({ device, pf, prevResult, withMultus, annotations }: Request["config"]): boolean {
  const isNamed = device !== undefined || pf !== undefined || prevResult !== undefined;
  return isNamed || (!withMultus && isServedByMultus(annotations));
}

// A record of another format still tells whose it is.
function listSalvaged(
  host: Pick<Host, "files" | "paths">,
  unreadable: Attachments["unreadable"],
  token: string,
): readonly Suspect[] {
  return unreadable.flatMap(({ address, error }) => {
    if (!(error instanceof SriovError)) return [];
    const { owner, interface: name } = salvageRecord(host, address);
    if (owner === undefined || ownerToken(owner) !== token) return [];
    return [{ address, interface: name ?? owner.attachment }];
  });
}
