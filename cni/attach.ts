// Gives one claimed VF to a pod, step by step; undoing is the record's business (sriov/release.ts).

import { NetlinkError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { AppliedRoute, AppliedSettings } from "../sriov/attachment.ts";
import { formatCidr } from "../sriov/cidr.ts";
import type { IpamResult } from "../sriov/ipam.ts";
import { applyLinkSizes, type LinkSizes } from "../sriov/link-sizes.ts";
import { ownSysfs, resetQueueMasks } from "../sriov/queue-masks.ts";
import { VfMissingError, VfReadBackError, VfStepError } from "../sriov/vf-errors.ts";
import { setMac, takeAdminMac } from "../sriov/vf-mac.ts";
import { moveVfAs, type Side } from "../sriov/vf-move.ts";
import { planAddresses, type AddressPlan } from "./addresses.ts";
import type { Claim } from "./claim.ts";
import { applySettings, chooseOwnMac, toVfSettings } from "./pf-settings.ts";
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
  /** Whether the delegate may work through the interface. */
  readonly isIpamOverLink: boolean;
  /** Called when it turns out that no admin MAC was set before, whatever the PF reports. */
  readonly noteNoAdminMac: () => void;
}

/** A VF that is the pod's. */
export interface Attached {
  readonly target: Target;
  /** Its link in the pod; undefined for a VF without a netdev. */
  readonly index: number | undefined;
  /** Of a VF without a netdev, as its PF has it. */
  readonly mac?: string | undefined;
  readonly plan: AddressPlan;
  readonly applied: AppliedSettings;
}

/** The VF in the pod: configured, up, with addresses and routes. Throws StepError naming the step. */
export async function attachVf(
  host: Pick<Host, "files" | "paths" | "locks" | "clock" | "namespaces" | "openEthtool">,
  steps: Steps,
  { target, claim, home, pod, ipam, isIpamOverLink, noteNoAdminMac }: Attaching,
): Promise<Attached> {
  const { network, address } = target;
  const { link: homeLink } = claim;
  if (homeLink === undefined) throw new VfMissingError(`${address} has no netdev to move`);
  const wanted = toVfSettings(network);
  const hadNoAdminMac = await steps.wait("MAC", () => chooseOwnMac(host, home, homeLink, claim, network.mac));
  if (hadNoAdminMac) steps.run("record", noteNoAdminMac);
  await steps.wait("VF settings", () => applySettings(host, claim, wanted, hadNoAdminMac));
  steps.run("queue masks", () => resetQueueMasks(ownSysfs(host), homeLink.name, claim.original.queues));
  const { sizes } = claim;
  if (sizes !== undefined) steps.run("channels and rings", () => setSizes(host, homeLink.index, sizes));
  const moved = steps.run("move", () => moveVfAs(home, pod, homeLink, address, target.interface));
  const { index } = moved;
  const inside = pod.netlink;
  const { mac, mtu } = network;
  if (mtu !== undefined && mtu !== moved.mtu) steps.run("MTU", () => setMtu(inside, index, mtu));
  if (mac !== undefined && mac !== moved.mac)
    steps.run("MAC", () => {
      if (!setMac(inside, index, mac)) takeAdminMac(inside, index, mac);
    });
  const setUp = (): void => inside.setLink(index, { set: "up", value: true });
  // dhcp would bring it up itself, and try again after some seconds.
  if (isIpamOverLink) steps.run("up", setUp);
  const answer = await steps.wait("IPAM", ipam);
  const plan = steps.run("addresses", () => planAddresses(answer, network));
  const sysctls = planSysctls(target.interface, network, plan.addresses);
  if (Object.keys(sysctls).length > 0)
    steps.run("sysctls", () => host.namespaces.writeSysctls(pod.netns, sysctls));
  steps.run("addresses", () => {
    for (const cidr of plan.addresses)
      inside.addAddress(index, { ...cidr, isOptimistic: network.announce && cidr.family === 6 });
  });
  steps.run("up", setUp);
  steps.run("routes", () => {
    for (const route of plan.routes) addRouteUnlessThere(pod, { ...route, index });
  });
  const addresses = plan.addresses.map((cidr) => formatCidr(cidr));
  const routes = plan.routes.map(({ destination, gateway, metric, table, mtu, advmss }): AppliedRoute => {
    return { destination, gateway, metric, table, mtu, advmss };
  });
  return { target, index, plan, applied: { ...wanted, mac, mtu, addresses, routes } };
}

// Drivers differ in what they make of one that is larger than the PF's: some take it, some refuse it, some set less and say nothing.
function setMtu(inside: Side["netlink"], index: number, mtu: number): void {
  try {
    inside.setLink(index, { set: "mtu", value: mtu });
    const link = inside.getLink({ index });
    if (link?.mtu !== mtu)
      throw new VfReadBackError(`the MTU of ${link?.name ?? index}`, String(mtu), String(link?.mtu));
  } catch (cause) {
    throw new VfStepError("the VF", `mtu ${mtu}`, [], { cause });
  }
}

function setSizes(host: Pick<Host, "openEthtool">, index: number, sizes: LinkSizes): void {
  using ethtool = host.openEthtool();
  applyLinkSizes(ethtool, index, sizes);
}

// Of two routes to one destination the first wins, as with the reference plugins: a chained pod has its default route already.
function addRouteUnlessThere(pod: Side, route: Parameters<Side["netlink"]["addRoute"]>[0]): void {
  try {
    pod.netlink.addRoute(route);
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== "EEXIST") throw error;
  }
}
