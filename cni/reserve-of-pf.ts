// ADD of a network with `pf`: is the PF one that the node allows, has it VFs, and which one is free?

import type { Host } from "../host/host.ts";
import type { Netlink } from "../host/netlink/netlink.ts";
import { ConfigError } from "../sriov/config-problems.ts";
import type { PhysicalFunction } from "../sriov/inventory.ts";
import type { NodePf } from "../sriov/node-config.ts";
import { findPf } from "../sriov/physical-function.ts";
import { VfMissingError } from "../sriov/vf-errors.ts";
import { PfNotAllowedError } from "./errors.ts";
import { checkNodeLimits } from "./node-limits.ts";
import { pickVf } from "./pick-vf.ts";
import { describePod, type Request } from "./request.ts";
import type { Reservation } from "./reservation.ts";
import type { Steps } from "./steps.ts";

/**
 * A free VF of the PF that the configuration names, with its lock. VFs are made where the PF has none. `home` is the host's
 * netlink. Throws ERR_PF_NOT_ALLOWED for a PF that node.yaml does not name, ERR_VF_MISSING, ERR_PROVISION, ERR_VF_BUSY.
 */
export async function reserveOfPf(
  host: Host,
  home: Netlink,
  request: Request,
  steps: Steps,
): Promise<Reservation> {
  const { call, config, pod } = request;
  const network = config.networks[0];
  const name = config.pf;
  if (name === undefined || network === undefined)
    throw new ConfigError(`network "${config.name}"`, ["pf: expected an interface name, got nothing"]);
  const node = await steps.wait("node limits", () => checkNodeLimits(host, config, [{ network }]));
  const { nodePf, pf } = findAllowedPf(host, home, name, node.pfs);
  const ready = pf.vfs.length > 0 ? pf : await steps.wait("VFs", () => makeVfs(host, home, pf, nodePf));
  // Chained, the interface of the call is the plugin's before.
  const interfaceName = config.prevResult === undefined ? call.ifName : `${network.ifNamePrefix}1`;
  const title = describePod(request, interfaceName);
  const wanted = { pf: ready, network, interface: interfaceName, title, pod: pod.pod };
  return await steps.wait("pick", () => pickVf(host, home, wanted));
}

function findAllowedPf(
  host: Host,
  home: Netlink,
  name: string,
  allowed: readonly NodePf[],
): { readonly nodePf: NodePf; readonly pf: PhysicalFunction } {
  const nodePf = allowed.find((candidate) => candidate.name === name);
  if (nodePf === undefined) throw new PfNotAllowedError(name, host.paths.nodeConfig, allowed);
  const pf = findPf(host, home, name);
  if (pf !== undefined) return { nodePf, pf };
  throw new VfMissingError(`there is no PF ${name} on this node: expected an interface that can have VFs`);
}

async function makeVfs(
  host: Host,
  home: Netlink,
  pf: PhysicalFunction,
  { name, numVfs }: NodePf,
): Promise<PhysicalFunction> {
  const { provisionPf } = await import("../sriov/provision.ts");
  await provisionPf(host, pf.address, numVfs ?? pf.totalVfs);
  const made = findPf(host, home, name);
  if (made !== undefined) return made;
  throw new VfMissingError(`the PF ${name} vanished while its VFs were made`);
}
