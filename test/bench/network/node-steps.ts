// What is done once for the whole bench, before the first variant and after the last, as steps.

import { clientAddress, peerNamespace, prefixLength, standInPeer, standInPf } from "./layout.ts";
import type { PfFacts } from "./node-facts.ts";
import type { Command, Step } from "./step.ts";

/** On the node under test: interface up, its irqbalance stopped. */
export function planNode(pf: Pick<PfFacts, "name" | "isUp">, irqbalanceRuns: boolean): readonly Step[] {
  const up = pf.isUp
    ? []
    : [{ apply: ip("link", "set", pf.name, "up"), undo: ip("link", "set", pf.name, "down") }];
  // One that runs would move the interrupts of every variant.
  const irqbalance = irqbalanceRuns
    ? [{ apply: systemctl("stop", "irqbalance"), undo: systemctl("start", "irqbalance") }]
    : [];
  return [...irqbalance, ...up];
}

/** VFs, made where there are none: for a turn only, since with VFs many drivers leave their PF fewer queues. */
export function planVfs({ sriov }: Pick<PfFacts, "sriov">, wanted: number): readonly Step[] {
  if (sriov === undefined || sriov.vfs.length > 0) return [];
  return [setVfs(sriov.address, wanted), { apply: { argv: ["udevadm", "settle"] } }];
}

/** A veth pair in the place of NIC and wire. */
export const planStandIn: readonly Step[] = [
  {
    apply: ip("link", "add", standInPf, "type", "veth", "peer", "name", standInPeer),
    undo: ip("link", "del", standInPf),
  },
];

/** On one machine the client's interface goes into a namespace of its own, else the kernel takes the short way. `pid`: who gets it back. */
export function planPeer(peer: string, wasUp: boolean, pid: number): readonly Step[] {
  return [
    { apply: ip("netns", "add", peerNamespace), undo: ip("netns", "del", peerNamespace) },
    // A link that changes its namespace goes down.
    wasUp ? { undo: ip("link", "set", peer, "up") } : {},
    {
      apply: ip("link", "set", peer, "netns", peerNamespace),
      undo: ip("-n", peerNamespace, "link", "set", peer, "netns", String(pid)),
    },
  ];
}

/** The interface of client number `at`, in `netns` or here. */
export function planClient(
  link: string,
  at: number,
  { netns, isUp }: { readonly netns?: string | undefined; readonly isUp: boolean },
): readonly Step[] {
  const inside = netns === undefined ? [] : ["-n", netns];
  const address = `${clientAddress(at)}/${prefixLength}`;
  const up = { apply: ip(...inside, "link", "set", link, "up") };
  return [
    isUp ? {} : { ...up, undo: ip(...inside, "link", "set", link, "down") },
    {
      apply: ip(...inside, "address", "add", address, "dev", link),
      undo: ip(...inside, "address", "del", address, "dev", link),
    },
  ];
}

function setVfs(address: string, count: number): Step {
  const path = `/sys/bus/pci/devices/${address}/sriov_numvfs`;
  return { apply: { argv: ["tee", path], stdin: `${count}\n` }, undo: { argv: ["tee", path], stdin: "0\n" } };
}

function systemctl(verb: string, unit: string): Command {
  return { argv: ["systemctl", verb, unit] };
}

function ip(...words: readonly string[]): Command {
  return { argv: ["ip", ...words] };
}
