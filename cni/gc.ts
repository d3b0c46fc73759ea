// GC: frees what this network's records hold for attachments that the runtime does not know any more.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { readHolders } from "../kubelet/device-holders.ts";
import { ownerToken, type AttachmentOwner } from "../sriov/attachment.ts";
import { readAttachments } from "../sriov/attachment-store.ts";
import { SriovError } from "../sriov/errors.ts";
import { judgeNobodys } from "../sriov/gone-owners.ts";
import { collectIpam } from "../sriov/ipam.ts";
import { salvageRecord } from "../sriov/salvage-record.ts";
import { applyRepair, planRepair, type Judgement, type RepairRule } from "../sriov/repair.ts";
import { ReleaseError } from "../sriov/vf-errors.ts";
import { createCallLog, tellKept } from "./call-log.ts";
import { findConfigError, type CniConfig } from "./config.ts";
import { makeLease } from "./delegate.ts";
import type { CniCall } from "./environment.ts";
import { attachmentKeys, parseValidAttachments, type ValidAttachment } from "./gc-attachments.ts";
import { parseRequest } from "./request.ts";
import { checkVerb } from "./version.ts";

/** How long a VF that somebody works on is waited for: runtimes give GC little time, and call it again. */
const lockTimeoutMs = 5000;

/**
 * Gives back every VF and lease of this network that is not listed, then tells the IPAM delegates what is left. Records of other
 * networks are left alone. Goes on after a failure, also of the configuration; ERR_RELEASE at the end lists them all.
 */
export async function collectGarbage(
  host: Host,
  call: CniCall,
  stdin: string,
  stderr: string[],
): Promise<void> {
  const request = parseRequest(call, stdin);
  const { config } = request;
  const mistake = findConfigError(request);
  // In a version without GC nothing is given back that it could keep.
  if (mistake !== undefined && config.cniVersion !== "1.1.0") throw mistake;
  checkVerb("GC", "1.1.0", config.cniVersion);
  const valid = parseValidAttachments(request.input);
  const rule = notListed(host, config.name, valid);
  const outcomes = await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs });
  const log = createCallLog(host, request, stderr);
  for (const { address, kept = [] } of outcomes) tellKept(log, address, kept);
  log.write();
  const problems: unknown[] = outcomes
    .map(({ problem }) => problem)
    .filter((problem) => problem !== undefined);
  if (mistake !== undefined) problems.push(mistake);
  problems.push(...(await forward(host, call, config, valid)));
  if (problems.length > 0) throw new ReleaseError(`what network ${config.name} does not use`, problems);
}

function notListed(host: Host, network: string, valid: readonly ValidAttachment[]): RepairRule {
  const tokens = new Set(
    valid.map(({ containerID, ifname }) => ownerToken({ containerId: containerID, attachment: ifname })),
  );
  const reason = `the runtime does not list it for network ${network}`;
  const isUnused = (owner: AttachmentOwner): boolean =>
    owner.network === network && !tokens.has(ownerToken(owner));
  return {
    judge: ({ owner }): Judgement | undefined =>
      isUnused(owner) ? { action: "release", reason } : undefined,
    judgeUnreadable: (file, processes): Judgement | undefined => {
      const { owner } = file.salvaged;
      if (owner === undefined)
        return judgeNobodys(host, file, (device) => readHolders(host, device), processes);
      return isUnused(owner) ? { action: "reset", reason } : undefined;
    },
  };
}

// A delegate knows a pod's further VFs under their interfaces' names, of which the runtime's list has none. While a record does
// not tell whose it is, nobody knows them all.
async function forward(
  host: Host,
  call: CniCall,
  config: CniConfig,
  valid: readonly ValidAttachment[],
): Promise<readonly Error[]> {
  const { records, unreadable } = readAttachments(host);
  const salvaged = unreadable.map(({ address }) => salvageRecord(host, address));
  const holders = [...records, ...salvaged].map(({ owner, interface: name }) => {
    return owner === undefined || name === undefined ? undefined : { owner, interface: name };
  });
  const live = holders
    .filter((holder) => holder !== undefined)
    .filter(({ owner }) => owner.network === config.name)
    .map(({ owner, interface: ifname }) => ({ containerID: owner.containerId, ifname }));
  if (holders.includes(undefined)) return [];
  const known = new Map([...valid, ...live].map((one) => [`${one.containerID}/${one.ifname}`, one]));
  const lists = Object.fromEntries(attachmentKeys.map((key) => [key, [...known.values()]]));
  const problems: Error[] = [];
  const requests = new Set<string>();
  for (const network of config.networks) {
    const lease = makeLease(call, config, network, "");
    if (lease === undefined || requests.has(lease.config)) continue;
    requests.add(lease.config);
    const request = { ...(JSON.parse(lease.config) as object), ...lists };
    try {
      await collectIpam(host, { ...lease, config: JSON.stringify(request) });
    } catch (error) {
      if (!(error instanceof SriovError || error instanceof HostError)) throw error;
      problems.push(error);
    }
  }
  return problems;
}
