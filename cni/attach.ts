// Gives one claimed VF to a pod, step by step; undoing is the record's business (sriov/release.ts).

import { NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { AppliedSettings, VfSideSettings } from "../sriov/attachment.ts";
import { formatCidr } from "../sriov/cidr.ts";
import { zeroMac } from "../sriov/mac-address.ts";
import type { IpamResult } from "../sriov/ipam.ts";
import { ownSysfs, resetQueueMasks } from "../sriov/queue-masks.ts";
import { applyVf } from "../sriov/vf-apply.ts";
import { VfMissingError } from "../sriov/vf-errors.ts";
import { setMac, takeAdminMac } from "../sriov/vf-mac.ts";
import { moveVf, type Side } from "../sriov/vf-move.ts";
import { planVf } from "../sriov/vf-settings.ts";
import { planAddresses, type AddressPlan } from "./addresses.ts";
import type { Claim } from "./claim.ts";
import type { PodNetwork } from "./config.ts";
import { planSysctls } from "./pod-sysctls.ts";
import type { Steps } from "./steps.ts";
import type { Target } from "./targets.ts";

/** Everything that giving one VF needs. `ipam` is awaited only when the addresses are due. */
export interface Attaching {
  readonly target: Target;
  readonly claim: Claim;
  readonly home: Side;
  readonly pod: Side;
  readonly ipam: () => Promise<IpamResult | undefined>;
  /** Called when it turns out that no admin MAC was set before, whatever the PF reports. */
  readonly noteNoAdminMac: () => void;
}

/** A VF that is up in the pod, as the link `index`. */
export interface Attached {
  readonly target: Target;
  readonly index: number;
  readonly plan: AddressPlan;
  readonly applied: AppliedSettings;
}

/** The VF in the pod: configured, up, with addresses and routes. Throws StepError naming the step. */
export async function attachVf(
  host: Pick<Host, "files" | "paths" | "locks" | "clock" | "namespaces">,
  steps: Steps,
  { target, claim, home, pod, ipam, noteNoAdminMac }: Attaching,
): Promise<Attached> {
  const { network, address } = target;
  const wanted = toVfSettings(network);
  const hadNoAdminMac = steps.run("MAC", () => chooseOwnMac(home, claim, network.mac));
  if (hadNoAdminMac) steps.run("record", noteNoAdminMac);
  await steps.wait("VF settings", () => applySettings(host, claim, wanted, hadNoAdminMac));
  steps.run("queue masks", () => resetQueueMasks(ownSysfs(host), claim.link.name, claim.original.queues));
  const moved = steps.run("move", () => moveVf(home, pod, claim.link, address));
  const { index } = moved;
  const inside = pod.netlink;
  steps.run("name", () => inside.setLink(index, { set: "name", value: target.interface }));
  const { mac, mtu } = network;
  if (mtu !== undefined && mtu !== moved.mtu)
    steps.run("MTU", () => inside.setLink(index, { set: "mtu", value: mtu }));
  if (mac !== undefined && mac !== moved.mac)
    steps.run("MAC", () => {
      if (!setMac(inside, index, mac)) takeAdminMac(inside, index, mac);
    });
  const answer = await steps.wait("IPAM", ipam);
  const plan = steps.run("addresses", () => planAddresses(answer, network));
  const sysctls = planSysctls(target.interface, network, plan.addresses);
  if (Object.keys(sysctls).length > 0)
    steps.run("sysctls", () => host.namespaces.writeSysctls(pod.netns, sysctls));
  steps.run("addresses", () => {
    for (const cidr of plan.addresses)
      inside.addAddress(index, { ...cidr, isOptimistic: network.announce && cidr.family === 6 });
  });
  steps.run("up", () => inside.setLink(index, { set: "up", value: true }));
  steps.run("routes", () => {
    for (const route of plan.routes) addRouteUnlessThere(pod, { ...route, index });
  });
  const addresses = plan.addresses.map((cidr) => formatCidr(cidr));
  const routes = plan.routes.map(({ destination, gateway }) => ({ destination, gateway }));
  return { target, index, plan, applied: { ...wanted, mac, mtu, addresses, routes } };
}

/**
 * Sets the VF's own MAC while its PF may still allow it: then the VF need not be opened and closed for it to take the admin
 * MAC. True when that shows that no admin MAC was set before: an untrusted VF could not have changed it.
 */
function chooseOwnMac(home: Side, { link, side }: Claim, mac: string | undefined): boolean {
  if (mac === undefined || mac === link.mac) return false;
  return setMac(home.netlink, link.index, mac) && side?.info.trust === false;
}

/** What the network asks the PF for. The MAC goes through the PF too, so that the VF keeps it over a reset. */
function toVfSettings(network: PodNetwork): VfSideSettings {
  const { mac, vlan, vlanQoS, vlanProto, spoofchk, trust, linkState, minTxRateMbps, maxTxRateMbps } = network;
  const vlanSettings = vlan === undefined ? {} : { vlan, qos: vlanQoS, vlanProto };
  return { adminMac: mac, ...vlanSettings, spoofchk, trust, linkState, minTxRateMbps, maxTxRateMbps };
}

async function applySettings(
  host: Pick<Host, "locks" | "clock">,
  { side, vf }: Claim,
  wanted: VfSideSettings,
  hadNoAdminMac: boolean,
): Promise<void> {
  if (side !== undefined) {
    const before = hadNoAdminMac ? { ...side.info, mac: zeroMac } : side.info;
    return applyVf(host, side.target, planVf(before, wanted));
  }
  const { adminMac: _ownMacIsEnough, ...needsPf } = wanted;
  const names = Object.entries(needsPf).filter(([, value]) => value !== undefined);
  if (names.length === 0) return;
  throw new VfMissingError(
    `setting ${names.map(([name]) => name).join(", ")} of ${vf.address}: its PF ${vf.pf} has no netdev on the host that reports the VF`,
  );
}

// Of two routes to one destination the first wins, as with the reference plugins: a chained pod has its default route already.
function addRouteUnlessThere(pod: Side, route: Parameters<Side["netlink"]["addRoute"]>[0]): void {
  try {
    pod.netlink.addRoute(route);
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== "EEXIST") throw error;
  }
}
