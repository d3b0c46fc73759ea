// CHECK: is everything that ADD did still so? Reads only; one error lists every difference.

import { HostError } from "../host/errors.ts";
import { SriovError } from "../sriov/errors.ts";
import type { Host } from "../host/host.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import { ownerToken, type Attachment } from "../sriov/attachment.ts";
import { readAttachment, readAttachments } from "../sriov/attachment-store.ts";
import { ConfigError } from "../sriov/config-problems.ts";
import { isNetworkVf, readVf } from "../sriov/inventory.ts";
import { checkIpam, ipamCallOf } from "../sriov/ipam.ts";
import { findPfSide } from "../sriov/pf-side.ts";
import { findHomeLink, findLinkInside } from "../sriov/vf-locate.ts";
import { findVfNamespace } from "../sriov/vf-search.ts";
import { compareNetdev, compareSide, type VfResult } from "./check-vf.ts";
import { checkConfig } from "./config.ts";
import type { CniCall } from "./environment.ts";
import { CheckError, UnknownContainerError } from "./errors.ts";
import { readKubeletFacts } from "./kubelet-facts.ts";
import { listPodDevices } from "./pod-devices.ts";
import { openPodNetns } from "./pod-netns.ts";
import { parseRequest, type Request } from "./request.ts";
import { formatResult, type CniInterface, type CniResult } from "./result.ts";
import { isServedByMultus } from "./targets.ts";
import { checkVerb } from "./version.ts";
import { checkPodHasNoVf } from "./wrong-entry.ts";

/**
 * Compares the pod's VFs with their records and `prevResult`; a pod without a VF has nothing to compare. Throws ERR_CNI_CHECK
 * with every difference, ERR_CNI_UNKNOWN_CONTAINER for one that ADD gave nothing to, ERR_CNI_NETNS, ERR_NETWORK_CONFIG.
 */
export async function check(host: Host, call: CniCall, stdin: string): Promise<void> {
  const request = parseRequest(call, stdin);
  const { config } = request;
  checkVerb("CHECK", "0.4.0", config.cniVersion);
  const { prevResult } = config;
  if (prevResult === undefined)
    throw new ConfigError(`network "${config.name}"`, [
      "prevResult: expected the result of ADD, got nothing",
    ]);
  using netns = openPodNetns(host, call.netns);
  const token = ownerToken({ containerId: call.containerId, attachment: call.ifName });
  const own = tryListOwn(host, token);
  if (own instanceof HostError) {
    if (request.pod.uid !== undefined && (await hasNoVf(host, request))) return;
    throw own;
  }
  if (request.problems.length > 0)
    return own.length > 0 ? checkConfig(request) : await checkPodHasNoVf(host, request);
  const device = config.device;
  if (device !== undefined && own.length === 0) readAttachment(host, device);
  if (own.length === 0) {
    if (await hasNoVf(host, request)) return;
    throw new UnknownContainerError(`there is no record of ${token}: ADD never gave it a VF, or DEL took it`);
  }
  using home = host.openNetlink();
  using inside = host.openNetlink(netns);
  const problems: string[] = [];
  for (const record of own) {
    const results = readResults(prevResult, record, own);
    const found = listDifferences(host, record, results, { home, inside, netns });
    found.push(...(await checkLease(host, request, record, prevResult)));
    problems.push(...found.map((problem) => `${record.device.address} as ${record.interface}: ${problem}`));
  }
  if (problems.length > 0) throw new CheckError(token, problems);
}

/** Records of the attachment, or why they cannot be listed: a pod without a VF needs none. */
function tryListOwn(host: Host, token: string): readonly Attachment[] | HostError {
  try {
    return readAttachments(host).records.filter((record) => ownerToken(record.owner) === token);
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
}

// Chained, the kubelet tells whether the pod has a VF at all.
async function hasNoVf(host: Host, { config, pod }: Request): Promise<boolean> {
  if (config.device !== undefined || config.pf !== undefined) return false;
  if (!config.withMultus && isServedByMultus(config.annotations)) return true;
  const { uid } = pod;
  const facts = await readKubeletFacts(host, pod.pod);
  if (uid === undefined || facts === undefined) return true;
  return config.networks.every(({ resource }) => listPodDevices(facts, uid, resource).length === 0);
}

interface Views {
  readonly home: Netlink;
  readonly inside: Netlink;
  readonly netns: NetnsHandle;
}

function listDifferences(
  host: Host,
  record: Attachment,
  results: VfResult,
  { home, inside, netns }: Views,
): string[] {
  const { owner, device } = record;
  if (record.state !== "attached") return [`state: expected attached, got ${record.state}`];
  const vf = readVf(host, device.address);
  if (vf === undefined) return ["device: expected the VF that ADD gave, got none at this address"];
  if (String(vf.inode) !== device.inode)
    return ["device: expected the VF that ADD gave, got another one at this address"];
  const problems: string[] = [];
  if (owner.cookie !== String(netns.cookie))
    problems.push(`namespace: expected the one of ADD (cookie ${owner.cookie}), got cookie ${netns.cookie}`);
  const { driver } = record.applied;
  const isWrongDriver = driver === undefined ? !isNetworkVf(vf) : vf.driver !== driver;
  if (isWrongDriver)
    problems.push(`driver: expected ${driver ?? "a network driver"}, got ${vf.driver ?? "none"}`);
  const isNetdev = driver === undefined && isNetworkVf(vf);
  const link = isNetdev ? findLinkInside(host, inside, netns, device.address) : undefined;
  if (link !== undefined) {
    if (results.nic === undefined)
      problems.push(`prevResult: expected an interface ${record.interface}, got none`);
    const live = { link, addresses: inside.listAddresses(link.index), routes: inside.listRoutes() };
    problems.push(...compareNetdev(record, results, live));
  } else if (isNetdev) {
    problems.push(`namespace: expected ${netns.label}, got ${describePlace(host, home, record)}`);
  }
  const info = findPfSide(host, home, device)?.info;
  if (info !== undefined) problems.push(...compareSide(record, info));
  return problems;
}

function describePlace(host: Host, home: Netlink, { device }: Attachment): string {
  const link = findHomeLink(host, home, device.address);
  if (link !== undefined) return `the host's, as ${link.name}`;
  const found = findVfNamespace(host, device.address);
  if (found === undefined) return "none that can be found";
  using _netns = found.netns;
  return `${found.path}, as ${found.link.name}`;
}

async function checkLease(
  host: Host,
  { call, config }: Request,
  record: Attachment,
  prevResult: CniResult,
): Promise<readonly string[]> {
  const ipam = ipamCallOf(record, call.netns);
  if (ipam === undefined) return [];
  const { cniVersion } = config;
  const known = JSON.parse(ipam.lease.config) as object;
  const delegated = { ...known, cniVersion, prevResult: JSON.parse(formatResult(prevResult, cniVersion)) };
  const lease = { ...ipam.lease, config: JSON.stringify(delegated) };
  try {
    await checkIpam(host, { ...ipam, lease });
    return [];
  } catch (error) {
    if (error instanceof SriovError) return [error.message];
    throw error;
  }
}

// What the last plugin of the list left of our interface. Routes say nothing of their interface: they are ours where no other has any.
function readResults(result: CniResult, record: Attachment, own: readonly Attachment[]): VfResult {
  const at = result.interfaces.findIndex((nic) => isOf(nic, record));
  const inPod = result.interfaces.filter(({ sandbox }) => (sandbox ?? "") !== "");
  const isOnlyOurs = inPod.every((nic) => own.some((one) => isOf(nic, one)));
  return {
    nic: result.interfaces[at],
    addresses: result.ips.filter((ip) => ip.interface === at).map(({ address }) => address),
    routes: isOnlyOurs ? result.routes.filter(isRoute) : [],
  };
}

function isOf(nic: CniInterface, { device, interface: name }: Attachment): boolean {
  return nic.pciID === undefined
    ? nic.name === name && (nic.sandbox ?? "") !== ""
    : nic.pciID.toLowerCase() === device.address;
}

function isRoute(route: object): route is VfResult["routes"][number] {
  return "dst" in route && typeof route.dst === "string";
}
