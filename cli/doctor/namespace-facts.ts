// Which VFs are in which network namespace other than the node's own.

import { readMark } from "../../cni/sriov-cni-mark.ts";
import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { Link } from "../../host/netlink/netlink.ts";
import { createPaths } from "../../host/paths.ts";
import type { Inventory } from "../../sriov/inventory.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import { findLinksInside } from "../../sriov/vf-locate.ts";
import { listNamespaces } from "../../sriov/vf-search.ts";

/** A VF's interface, in the namespace at `path`. */
export interface VfInNamespace {
  readonly path: string;
  readonly link: Link;
  /** By its mark: a pod of before virtfn took its place. */
  readonly isSriovCnis: boolean;
}

export interface NamespaceFacts {
  readonly found: ReadonlyMap<PciAddress, VfInNamespace>;
  /** Namespaces that could be looked into. */
  readonly count: number;
  /** Why others could not. */
  readonly problems: readonly string[];
}

/** Looks into every namespace that has a name or a process. Throws the error of reading our own. */
export function readNamespaceFacts(
  host: Pick<Host, "files" | "paths" | "namespaces" | "openNetlink">,
  { vfs }: Pick<Inventory, "vfs">,
): NamespaceFacts {
  using own = host.namespaces.own();
  const seen = new Set<bigint>([own.cookie]);
  const found = new Map<PciAddress, VfInNamespace>();
  const problems: string[] = [];
  const node = { files: host.files, paths: createPaths(host.paths.hostRoot) };
  for (const { path, file } of listNamespaces(host)) {
    try {
      using netns = host.namespaces.open(file);
      if (netns === undefined || seen.has(netns.cookie)) continue;
      using netlink = host.openNetlink(netns);
      for (const [address, link] of findLinksInside(host, netlink, netns, [...vfs.keys()]))
        found.set(address, { path, link, isSriovCnis: readMark(node, address) !== undefined });
      seen.add(netns.cookie);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      problems.push(`${path}: ${error.message}`);
    }
  }
  return { found, count: seen.size - 1, problems };
}
