// STATUS: could an ADD of this configuration succeed now? A runtime asks every few seconds and takes the node out at a "no".

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { NodeReader } from "../host/node-reader.ts";
import { SriovError } from "../sriov/errors.ts";
import { askIpamStatus } from "../sriov/ipam.ts";
import { makeOnce } from "../sriov/make-once.ts";
import { createCallLog, tellPassedOver } from "./call-log.ts";
import { makeLease } from "./delegate.ts";
import { checkConfig, type CniConfig } from "./config.ts";
import type { CniCall } from "./environment.ts";
import { NotReadyError } from "./errors.ts";
import { getsEachPod } from "./first-entry.ts";
import { readKubeletFacts } from "./kubelet-facts.ts";
import { parseRequest } from "./request.ts";
import { checkVerb } from "./version.ts";

interface Node {
  readonly createHost: () => Host | Promise<Host>;
  /** Where there is something quicker than the host for a node that is ready. */
  readonly reader: NodeReader | undefined;
}

/**
 * Throws ERR_CNI_NOT_READY only for what would fail the ADD of every pod. Chained, a pod without a VF needs the kubelet's answer
 * and nothing else: a VF, its driver, its IPAM plugin or a mistake in its network can fail no pod but its own. Where every pod gets a VF, it must also be
 * possible to write its record and to ask the IPAM plugin. Also ERR_NETWORK_CONFIG, ERR_CNI_VERSION.
 */
export async function checkStatus(
  { createHost, reader }: Node,
  call: CniCall,
  stdin: string,
  stderr: string[],
): Promise<void> {
  const request = parseRequest(call, stdin);
  const { config, problems } = request;
  checkVerb("STATUS", "1.1.0", config.cniVersion);
  const makeHost = makeOnce(createHost);
  const isForAll = getsEachPod(reader ?? (await makeHost()), request);
  if (isForAll) checkConfig(request);
  if (problems.length === 0 && !isForAll && reader !== undefined && hasPodResources(reader)) return;
  const host = await makeHost();
  const log = createCallLog(host, request, stderr);
  tellPassedOver(log, problems);
  log.write();
  try {
    // With a pod's name in hand ADD asks there when the checkpoint cannot be read.
    if (!hasPodResources(host)) await readKubeletFacts(host, undefined);
    if (isForAll) await checkVfWay(host, call, config);
  } catch (cause) {
    if (!(cause instanceof SriovError || cause instanceof HostError)) throw cause;
    throw new NotReadyError(`network ${config.name} cannot take a pod now: ${cause.message}`, { cause });
  }
}

// One that cannot be looked at fails no ADD while there is a checkpoint.
function hasPodResources({ files, paths }: NodeReader): boolean {
  try {
    return files.stat(paths.kubelet.podResourcesSocket)?.kind === "socket";
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return false;
  }
}

async function checkVfWay(host: Host, call: CniCall, config: CniConfig): Promise<void> {
  host.files.makeFolder(host.paths.attachments);
  checkWritable(host);
  if (call.path === "") return;
  const problems: unknown[] = [];
  for (const network of config.networks) {
    const lease = makeLease(call, config, network, "");
    if (lease === undefined) return;
    try {
      await askIpamStatus(host, lease);
      return;
    } catch (error) {
      problems.push(error);
    }
  }
  // A pod may have VFs of one network alone.
  if (problems.length > 0) throw problems[0];
}

// A full or read-only disk shows only at a write.
function checkWritable({ files, paths }: Host): void {
  const probe = `${paths.attachments}/.status`;
  files.writeAtomic(probe, "");
  files.remove(probe);
}
