// What goes over the wire: sizes that do not fit, addresses that are there twice, and counters.

import type { Link } from "../../host/netlink/netlink.ts";
import { isNetworkVf, type VirtualFunction } from "../../sriov/inventory.ts";
import { zeroMac } from "../../sriov/mac-address.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import type { CountersAbsence } from "../../sriov/vf-counters.ts";
import { type Check, fail, type Finding, listSome, makeCheck, unknown, warn } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";
import { findLink } from "./network-facts.ts";

type Links = Pick<DoctorFacts, "inventory" | "network" | "namespaces">;

export const linkChecks: readonly Check[] = [
  makeCheck({
    name: "mtu",
    needs: ["inventory", "network", "namespaces", "live"],
    find: (facts) => [
      ...[...facts.inventory.pfs.keys()].flatMap((pf) => findOddMtu(facts, pf)),
      ...tellUnseen(facts),
    ],
    ok: ({ inventory: { pfs }, network: { links } }) =>
      listSome([...pfs.values()].flatMap((pf) => describeMtu(findLink(links, pf)))) ||
      "no PF has an interface here",
  }),
  makeCheck({
    name: "macs",
    needs: ["inventory", "network", "namespaces"],
    find: (facts) => {
      const holders = Map.groupBy(listMacs(facts), ({ mac }) => mac);
      return [...[...holders].flatMap(([mac, group]) => findTwice(mac, group)), ...tellUnseen(facts)];
    },
    ok: (facts) => `${new Set(listMacs(facts).map(({ mac }) => mac)).size} of PFs and VFs, each once`,
  }),
  makeCheck({
    name: "vf-counters",
    needs: ["counters"],
    find: ({ counters }) =>
      [...counters.values()].flatMap((pf) => ("absent" in pf ? tellUncounted(pf.absent) : [])),
    ok: ({ counters }) => {
      const told = [...counters.values()].map((pf) => ("absent" in pf ? pf.absent.reason : "PFs tell them"));
      return [...new Set(told)].join("; ") || "no PF has VFs";
    },
  }),
];

/** A driver that does not count, and a PF that is elsewhere, are as they shall be. */
function tellUncounted({ code, reason }: CountersAbsence): readonly Finding[] {
  switch (code) {
    case "driver":
    case "no-netdev":
      return [];
    case "failed":
      return [unknown(reason)];
    case "too-many-vfs":
      return [
        warn(reason, {
          expected: "some 221 VFs at most",
          fix: "make fewer VFs of this PF, or take the metrics of tuning",
        }),
      ];
  }
}

function findOddMtu(facts: Links & Pick<DoctorFacts, "live">, address: PciAddress): readonly Finding[] {
  const { inventory, network, live } = facts;
  const pf = inventory.pfs.get(address);
  const pfLink = pf === undefined ? undefined : findLink(network.links, pf);
  if (pf === undefined || pfLink === undefined) return [];
  const asked = new Map(live.map(({ device, applied }) => [device.address, applied.mtu] as const));
  const vfs = pf.vfs.flatMap((vf) => {
    const link = findVf(facts, vf);
    return link === undefined || link.mtu === pfLink.mtu ? [] : [{ vf, mtu: link.mtu }];
  });
  const larger = vfs.filter(({ mtu }) => mtu > pfLink.mtu);
  const smaller = vfs.filter(({ vf, mtu }) => mtu < pfLink.mtu && asked.get(vf) !== mtu);
  return [
    ...tellMtu(pfLink, larger, "many cards drop what is longer than the PF's"),
    ...tellMtu(pfLink, smaller, "made before the PF's was raised, or set by hand"),
  ];
}

/** Interfaces that network drivers have made, and that are nowhere where this process sees them. */
function tellUnseen(facts: Links): readonly Finding[] {
  const { inventory, network } = facts;
  const pfs = [...inventory.pfs.values()].filter(
    (pf) => isNetworkVf(pf) && findLink(network.links, pf) === undefined,
  );
  const vfs = [...inventory.vfs.values()].filter(
    (vf) => isNetworkVf(vf) && findVf(facts, vf.address) === undefined,
  );
  const unseen = [...pfs, ...vfs].map(({ address }) => address);
  if (unseen.length === 0) return [];
  return [
    unknown(
      `the interfaces of ${listSome(unseen, 3)} are not seen from here`,
      "run it in the node's network namespace: in the container tuning, or as root on the node",
    ),
  ];
}

function tellMtu(
  pf: Link,
  vfs: readonly { readonly vf: PciAddress; readonly mtu: number }[],
  why: string,
): readonly Finding[] {
  if (vfs.length === 0) return [];
  const seen = listSome(
    vfs.map(({ vf, mtu }) => `${vf} ${mtu}`),
    4,
  );
  return [
    warn(`MTU of ${pf.name} ${pf.mtu}, of its VFs ${seen} (${why})`, {
      expected: "one MTU, or one that a network asks for and the PF has room for",
      fix: `"mtu" in the network's configuration; for the PF "mtu" in section provision, or: ip link set ${pf.name} mtu N`,
    }),
  ];
}

function findVf({ inventory, network, namespaces }: Links, address: PciAddress): Link | undefined {
  const vf: VirtualFunction | undefined = inventory.vfs.get(address);
  return namespaces.found.get(address)?.link ?? (vf === undefined ? undefined : findLink(network.links, vf));
}

interface MacHolder {
  readonly mac: string;
  readonly pf: PciAddress;
  readonly of: PciAddress;
  /** The bond or bridge that it is part of, whose parts share an address: its index, which each namespace counts for itself. */
  readonly master: string | undefined;
}

/** Each address with the function that has it, by its interface and by its PF. */
function listMacs(facts: Links): readonly MacHolder[] {
  const { inventory, network, namespaces } = facts;
  const ofPfs = [...inventory.pfs.values()].flatMap((pf) => {
    const link = findLink(network.links, pf);
    const { address } = pf;
    return link === undefined ? [] : [{ mac: link.mac, pf: address, of: address, master: nameMaster(link) }];
  });
  const ofVfs = [...inventory.vfs.values()].flatMap(({ address, pf, index }) => {
    const link = findVf(facts, address);
    const info = network.vfInfos.get(pf)?.find(({ vf }) => vf === index);
    const macs = new Set([link?.mac, info?.mac].filter((mac) => mac !== undefined));
    const master = nameMaster(link, namespaces.found.get(address)?.path);
    return [...macs].map((mac) => ({ mac, pf, of: address, master }));
  });
  return [...ofPfs, ...ofVfs].filter(({ mac }) => mac !== zeroMac && mac !== "");
}

function nameMaster(link: Link | undefined, namespace = ""): string | undefined {
  return link?.master === undefined ? undefined : `${link.master} ${namespace}`;
}

function findTwice(mac: string, holders: readonly MacHolder[]): readonly Finding[] {
  const functions = [...new Set(holders.map(({ of }) => of))];
  const [master] = holders.map((holder) => holder.master);
  const isBond = master !== undefined && holders.every((holder) => holder.master === master);
  if (functions.length < 2 || isBond) return [];
  const seen = `${mac} is the MAC of ${listSome(functions)}`;
  const fix = "give each pod a MAC of its own; of a VF that no pod has: ip link set PF vf N mac ADDRESS";
  const isOnOnePf = new Set(holders.map(({ pf }) => pf)).size < functions.length;
  return isOnOnePf
    ? [fail(seen, { expected: "one function: the card sends its frames to one of them", fix })]
    : [warn(seen, { expected: "one function, where both are in one network", fix })];
}

function describeMtu(link: Link | undefined): readonly string[] {
  return link === undefined ? [] : [`${link.name} ${link.mtu}`];
}
