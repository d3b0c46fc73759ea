// Looks for a VF in every network namespace of the node that has a name or a process.

import { join } from "node:path";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Link } from "../host/netlink/netlink.ts";
import type { NetnsHandle } from "../host/netns.ts";
import type { PciAddress } from "./pci-address.ts";
import { findLinkInside } from "./vf-locate.ts";
import { listProcesses } from "./processes.ts";

/** A namespace that has the VF; `path` is as the host sees it, the caller disposes `netns`. */
export interface FoundNamespace {
  readonly path: string;
  readonly netns: NetnsHandle;
  readonly link: Link;
}

type Eyes = Pick<Host, "files" | "paths" | "namespaces" | "openNetlink">;

const folder = "/run/netns";

/** The namespace other than the process's own that has the VF: one of /run/netns, or one that only processes are in. */
export function findVfNamespace(host: Eyes, address: PciAddress): FoundNamespace | undefined {
  using own = host.namespaces.own();
  const seen = new Set<bigint>([own.cookie]);
  for (const place of listNamespaces(host)) {
    const found = lookInto(host, address, { ...place, seen });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where namespaces are: `path` as the host sees it, `file` as it is opened from here. The named ones first; one may be there twice. */
export function* listNamespaces(
  host: Pick<Eyes, "files" | "paths">,
): Generator<{ readonly path: string; readonly file: string }> {
  for (const path of listNamed(host)) yield { path, file: join(host.paths.hostRoot, path) };
  for (const file of listOfProcesses(host)) yield { path: file, file };
}

function listNamed({ files, paths }: Pick<Eyes, "files" | "paths">): readonly string[] {
  const names = files.list(join(paths.hostRoot, folder)) ?? [];
  return names.map((name) => `${folder}/${name}`);
}

// One process for each namespace: most processes share a few.
function listOfProcesses({ files, paths }: Pick<Eyes, "files" | "paths">): readonly string[] {
  const byNamespace = new Map<string, string>();
  for (const pid of listProcesses({ files, paths })) {
    const file = join(paths.proc, pid, "ns/net");
    const namespace = readLinkIfAllowed(files, file);
    if (namespace !== undefined && !byNamespace.has(namespace)) byNamespace.set(namespace, file);
  }
  return [...byNamespace.values()];
}

function readLinkIfAllowed(files: Eyes["files"], file: string): string | undefined {
  try {
    return files.readLink(file);
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}

// A namespace that cannot be looked into must not hide the others.
function lookInto(
  host: Eyes,
  address: PciAddress,
  at: { readonly path: string; readonly file: string; readonly seen: Set<bigint> },
): FoundNamespace | undefined {
  let netns: NetnsHandle | undefined;
  try {
    netns = host.namespaces.open(at.file);
    if (netns !== undefined && !at.seen.has(netns.cookie)) {
      at.seen.add(netns.cookie);
      using netlink = host.openNetlink(netns);
      const link = findLinkInside(host, netlink, netns, address);
      if (link !== undefined) return { path: at.path, netns, link };
    }
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
  netns?.[Symbol.dispose]();
  return undefined;
}
