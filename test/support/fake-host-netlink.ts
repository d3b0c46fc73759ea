// The fake node's netlink: the verbs of `Netlink` on the fake kernel's state.

import { NetlinkError } from "../../host/errors.ts";
import type { LinkRef, Netlink, NewRoute, Route } from "../../host/netlink/netlink.ts";
import type { FakeClock } from "./fake-host-clock.ts";
import { findByName, noTraffic, type FakeKernel, type FakeLink, type FakeNetns } from "./fake-host-kernel.ts";
import { announceLink, changeLink, changeVf, moveLink, refuse, toLink } from "./fake-host-rules.ts";

/** A handle into `netns`. It knows every call of `Netlink`; what the kernel would refuse it refuses with the kernel's errno. */
export function openFakeNetlink(kernel: FakeKernel, netns: FakeNetns, clock: FakeClock): Netlink {
  const find = (index: number, doing: string): FakeLink => {
    const link = netns.links.get(index);
    if (link === undefined) throw new NetlinkError(`${doing} of link ${index} in ${netns.label}`, "ENODEV");
    return link;
  };
  const lookUp = (ref: LinkRef): FakeLink | undefined =>
    "index" in ref ? netns.links.get(ref.index) : findByName(netns, ref.name);
  return {
    listLinks: () => [...netns.links.values()].map(toLink),
    getLink: (ref) => {
      const link = lookUp(ref);
      return link === undefined ? undefined : toLink(link);
    },
    setLink: (index, change) => {
      const link = find(index, `setting ${change.set}`);
      changeLink(netns, link, change);
      if (change.set === "up" && change.value) bringCarrier(netns, link, clock);
    },
    moveLink: (index, target, name) => {
      const to = kernel.handles.get(target.fd);
      if (to === undefined) throw new NetlinkError(`moving link ${index} to ${target.label}`, "EBADF");
      moveLink(kernel, { netns, link: find(index, "moving") }, to, name);
    },
    addAltName: (index, altName) => {
      if (findByName(netns, altName) !== undefined) throw refuse(`adding the altname ${altName}`, "EEXIST");
      find(index, "adding an altname").altNames.push(altName);
    },
    removeAltName: (index, altName) => {
      const link = find(index, "removing an altname");
      if (!link.altNames.includes(altName)) throw refuse(`removing the altname ${altName}`, "ENOENT");
      link.altNames = link.altNames.filter((name) => name !== altName);
    },
    deleteLink: (index) => {
      const link = find(index, "deleting");
      if (link.device !== undefined) throw refuse(`deleting ${link.name}`, "EOPNOTSUPP");
      netns.links.delete(index);
    },
    listVfs: (pfIndex) =>
      find(pfIndex, "listing VFs").vfs.map(({ hasAdminMac: _hidden, ...reported }) => reported),
    getVf: (ref, vf) => {
      const pf = lookUp(ref);
      const reported = pf?.vfs.find((one) => one.vf === vf);
      if (pf === undefined || reported === undefined) return undefined;
      const { hasAdminMac: _hidden, ...info } = reported;
      return { pfIndex: pf.index, pfName: pf.name, info };
    },
    setVf: (pfIndex, number, change) => {
      const pf = find(pfIndex, `setting ${change.set} of vf ${number}`);
      const vf = pf.vfs[number];
      if (vf === undefined) throw refuse(`setting ${change.set} of ${pf.name} vf ${number}`, "EINVAL");
      changeVf(pf, vf, change);
    },
    listVfCounters: (pf) => {
      const link = lookUp(pf);
      if (link === undefined) throw refuse("counting VFs", "ENODEV");
      const { vfs, vfTraffic: counted } = link;
      return counted === "unfit"
        ? undefined
        : new Map(vfs.map(({ vf }) => [vf, counted.get(vf) ?? noTraffic]));
    },
    listAddresses: (index) =>
      [...netns.links.values()]
        .filter((link) => index === undefined || link.index === index)
        .flatMap((link) => link.addresses),
    addAddress: (index, address) => {
      const link = find(index, `adding ${address.address}`);
      const { family, address: text, prefixLength } = address;
      if (link.addresses.some((known) => known.address === text && known.prefixLength === prefixLength))
        throw refuse(`adding ${text} to ${link.name}`, "EEXIST");
      link.addresses.push({
        index,
        family,
        address: text,
        prefixLength,
        scope: "global",
        isTentative: false,
      });
    },
    removeAddress: (index, address) => {
      const link = find(index, `removing ${address.address}`);
      link.addresses = link.addresses.filter((known) => known.address !== address.address);
    },
    listRoutes: (index) => netns.routes.filter((route) => index === undefined || route.index === index),
    addRoute: (route) => addRoute(netns, route),
    removeRoute: (route) => {
      netns.routes = netns.routes.filter(
        (known) => known.destination !== route.destination || known.gateway !== route.gateway,
      );
    },
    subscribe: (onEvent) => {
      netns.listeners.add(onEvent);
      return { [Symbol.dispose]: () => void netns.listeners.delete(onEvent) };
    },
    [Symbol.dispose]: () => undefined,
  };
}

function addRoute(netns: FakeNetns, route: NewRoute): void {
  const doing = `adding the route ${route.destination}`;
  const link = route.index === undefined ? undefined : netns.links.get(route.index);
  if (link === undefined) throw refuse(doing, "ENODEV");
  if (!link.isUp) throw refuse(doing, "ENETDOWN");
  // 0 is as none.
  const metric = route.metric || (route.family === 6 ? 1024 : undefined);
  const table = route.table ?? 254;
  const isThere = ({ destination, ...known }: Route): boolean =>
    destination === route.destination && known.metric === metric && known.table === table;
  if (netns.routes.some(isThere)) throw refuse(doing, "EEXIST");
  const added: Route = {
    family: route.family,
    destination: route.destination,
    gateway: route.gateway,
    index: route.index,
    table,
    metric,
    mtu: route.mtu,
    advmss: route.advmss,
    scope: route.scope ?? "global",
    isOnlink: route.isOnlink ?? false,
    protocol: 4,
  };
  netns.routes.push(added);
}

function bringCarrier(netns: FakeNetns, link: FakeLink, clock: FakeClock): void {
  if (link.hasCarrier || link.carrierAfterMs === undefined) return;
  clock.after(link.carrierAfterMs, () => {
    if (!link.isUp) return;
    link.hasCarrier = true;
    announceLink(netns, link);
  });
}
