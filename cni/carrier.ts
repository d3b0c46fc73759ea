// After the VFs are up in the pod: waits a little for their carrier, and tells the neighbours of their addresses.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link } from "../host/netlink/netlink.ts";
import { announceAddresses } from "../sriov/announce.ts";
import { VfMissingError } from "../sriov/vf-errors.ts";
import { waitForLinks } from "../sriov/vf-locate.ts";
import type { Side } from "../sriov/vf-move.ts";
import { CarrierError } from "./errors.ts";
import type { AddressPlan } from "./addresses.ts";
import type { Steps } from "./steps.ts";
import type { Target } from "./targets.ts";

/** A VF of the pod, up where it has a link. */
interface UpVf {
  readonly target: Target;
  readonly index: number | undefined;
  readonly plan: Pick<AddressPlan, "addresses">;
}

/** `announce` is `pending` when the addresses are still to be announced: tuning does it when the carrier comes. */
export interface Settled {
  /** Undefined for a VF without a netdev. */
  readonly link: Link | undefined;
  readonly announce: "done" | "pending";
}

/** How long ADD waits for a carrier to announce on: without it the pod starts all the same. */
const carrierMs = 200;

/** Waits for all at once. Throws StepError: ERR_VF_CARRIER where the network requires a carrier, ERR_VF_MISSING. */
export async function settleLinks<Vf extends UpVf>(
  host: Pick<Host, "clock" | "namespaces">,
  steps: Steps,
  pod: Side,
  vfs: readonly Vf[],
): Promise<readonly (Vf & Settled)[]> {
  const ups = await steps.wait("carrier", () => Promise.all(vfs.map((vf) => waitForCarrier(host, pod, vf))));
  const settled: (Vf & Settled)[] = [];
  // Not before the last one is done: the namespace's handles end with the first that fails.
  for (const [at, vf] of vfs.entries()) {
    const link = steps.run("carrier", () => readLink(pod, vf, ups[at]));
    settled.push({ ...vf, link, announce: steps.run("announce", () => announce(host, pod, vf, link)) });
  }
  return settled;
}

/** The link once it has a carrier; `undefined` where that is not waited for, or did not come. */
async function waitForCarrier(
  host: Pick<Host, "clock">,
  { netlink }: Side,
  vf: UpVf,
): Promise<Link | undefined> {
  const { index } = vf;
  const { requireCarrierMs } = vf.target.network;
  const timeoutMs = requireCarrierMs ?? (hasToAnnounce(vf) ? carrierMs : 0);
  if (index === undefined || timeoutMs === 0) return undefined;
  const look = (): Link | undefined => {
    const link = netlink.getLink({ index });
    return link?.hasCarrier === true ? link : undefined;
  };
  return look() ?? (await waitForLinks(host, netlink, timeoutMs, look));
}

function readLink({ netlink }: Side, { index, target }: UpVf, up: Link | undefined): Link | undefined {
  if (index === undefined) return undefined;
  const link = up ?? netlink.getLink({ index });
  if (link === undefined)
    throw new VfMissingError(`${target.address} vanished from the pod while it was set up`);
  const { requireCarrierMs } = target.network;
  if (requireCarrierMs !== undefined && !link.hasCarrier)
    throw new CarrierError(target.address, link.name, requireCarrierMs);
  return link;
}

// That the neighbours could not be told is no reason for a pod not to start: it stays to be done.
function announce(
  host: Pick<Host, "namespaces">,
  { netns }: Side,
  vf: UpVf,
  link: Link | undefined,
): Settled["announce"] {
  if (link === undefined || !hasToAnnounce(vf)) return "done";
  if (!link.hasCarrier) return "pending";
  try {
    announceAddresses(host, netns, link, vf.plan.addresses);
    return "done";
  } catch (error) {
    if (error instanceof HostError) return "pending";
    throw error;
  }
}

function hasToAnnounce({ target, plan }: UpVf): boolean {
  return target.network.announce && plan.addresses.length > 0;
}
