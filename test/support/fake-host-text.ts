// The fake node as text: one line for each thing that ADD, DEL or tuning may change, so that whole states can be compared.

import { formatSizes } from "./fake-host-ethtool.ts";
import {
  freshTraits,
  type FakeKernel,
  type FakeLink,
  type FakeNetns,
  type FakeVf,
} from "./fake-host-kernel.ts";
import { vfAddress } from "./fake-host-nic.ts";
import { formatQueues, readDriver } from "./fake-host-sysfs.ts";

/** Every namespace with its links, PF-side settings, addresses and routes. Indexes are left out: they change with each move. */
export function formatKernel(kernel: FakeKernel): string {
  const namespaces = [...kernel.mounted.entries()]
    .filter(([path]) => path.startsWith("/run/netns/"))
    .toSorted(([a], [b]) => a.localeCompare(b));
  const parts = [formatNetns("host", kernel.host), ...formatDrivers(kernel)];
  for (const [path, netns] of namespaces) parts.push(formatNetns(path, netns));
  return parts.join("\n");
}

// Only VFs that are not with the driver they come up with.
function formatDrivers({ host, nics }: FakeKernel): readonly string[] {
  const vfs = nics.flatMap(({ pf, link }) =>
    link.vfs.map(({ vf }) => ({ address: vfAddress(pf.address, vf), link })),
  );
  return vfs.flatMap(({ address, link }) => {
    const { driver, override } = readDriver(host.sysfs, address);
    if (driver === `${link.driver}vf` && override === "(null)") return [];
    return [`  ${address} driver ${driver ?? "none"} override ${override}`];
  });
}

function formatNetns(title: string, netns: FakeNetns): string {
  const links = [...netns.links.values()].toSorted((a, b) => a.name.localeCompare(b.name));
  const lines = links.flatMap((link) => formatLink(netns, link));
  const routes = netns.routes.map((route) => {
    const name = [...netns.links.values()].find((link) => link.index === route.index)?.name ?? "?";
    const via = route.gateway === undefined ? "" : ` via ${route.gateway}`;
    return `route ${route.destination}${via} dev ${name}`;
  });
  return [title, ...[...lines, ...routes.toSorted()].map((line) => `  ${line}`)].join("\n");
}

function formatLink(netns: FakeNetns, link: FakeLink): readonly string[] {
  const altNames = link.altNames.length === 0 ? "" : ` altnames ${link.altNames.toSorted().join(",")}`;
  const flags = [
    link.isUp ? "up" : "down",
    ...(link.isPromiscuous ? ["promisc"] : []),
    ...(link.isAllMulticast ? ["allmulti"] : []),
    ...link.xdp.map(({ mode }) => `xdp-${mode}`),
    ...(link.hasTcx ? ["tcx"] : []),
    ...(link.alias === undefined ? [] : [`alias ${link.alias}`]),
    ...(link.txQueueLength === 1000 ? [] : [`qlen ${link.txQueueLength}`]),
    ...formatTraits(link),
  ].join(" ");
  const device = link.device === undefined ? (link.kind ?? "virtual") : link.device;
  const queues = link.pfSide === undefined ? "" : ` ${formatQueues(netns.sysfs, link.name)}`;
  return [
    `${link.name} ${device} mac ${link.mac} mtu ${link.mtu} ${flags}${formatSizes(link)}${altNames}${queues}`,
    ...link.vfs.map((vf) => `${link.name} ${formatVf(vf)}`),
    ...[...link.sysctls].map(([path, value]) => `${link.name} sysctl ${path} ${value}`),
    ...link.addresses.map((address) => `${link.name} address ${address.address}/${address.prefixLength}`),
  ];
}

function formatTraits({ traits }: FakeLink): readonly string[] {
  const fresh = new Map<string, unknown>(Object.entries(freshTraits));
  return Object.entries(traits).flatMap(([trait, value]) =>
    value === fresh.get(trait) ? [] : [`${trait} ${value}`],
  );
}

function formatVf(vf: FakeVf): string {
  const trust = `spoof ${onOff(vf.spoofchk)} trust ${onOff(vf.trust)} state ${vf.linkState ?? "-"}`;
  const vlan = `vlan ${vf.vlan} qos ${vf.qos} ${vf.vlanProto}`;
  return `vf ${vf.vf} mac ${vf.mac}${vf.hasAdminMac ? " admin" : ""} ${vlan} ${trust} rate ${vf.minTxRateMbps ?? "-"}-${vf.maxTxRateMbps ?? "-"}`;
}

function onOff(value: boolean | undefined): string {
  if (value === undefined) return "-";
  return value ? "on" : "off";
}
