// Reads what liveness judges by: the owner's namespace as the host sees it, and where its VF is.

import { dirname, join } from "node:path";

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { isOfThisBoot, type Attachment } from "./attachment.ts";
import { findOpenDevice } from "./device-processes.ts";
import { isNetworkVf, readVfBasics } from "./inventory.ts";
import type { DeviceFact, NamespaceFact, OwnerFacts } from "./liveness.ts";
import { readPciNetdevs } from "./pci-device.ts";
import { createProcessView, initialPidNamespace, type ProcessView } from "./processes.ts";
import { resolveInRoot } from "./root-path.ts";

type Eyes = Pick<Host, "files" | "paths" | "namespaces">;

/** Reads what there is to know about a record's owner. An owner that can't be seen is `unknown`, not an error. `processes`: shared with other records. */
export function readOwnerFacts(
  host: Eyes & Pick<Host, "clock">,
  record: Pick<Attachment, "owner" | "device" | "bootId">,
  processes = createProcessView(host),
): OwnerFacts {
  const { netns, cookie } = record.owner;
  const namespace = orUnknown(() => readNamespace(host, record.owner));
  const device = orUnknown(() =>
    withDoubt(host, record, { namespace, device: readDevice(host, record), processes }),
  );
  return { netns, cookie, isOfThisBoot: isOfThisBoot(record, host.clock.bootId()), namespace, device };
}

// All processes are looked through only where their word decides.
function withDoubt(
  host: Eyes,
  { owner, device }: Pick<Attachment, "owner" | "device">,
  seen: {
    readonly namespace: NamespaceFact;
    readonly device: DeviceFact;
    readonly processes: ProcessView;
  },
): DeviceFact {
  const { namespace, device: fact, processes } = seen;
  const isThere = namespace.seen === "namespace" && namespace.cookie === owner.cookie;
  if (fact.seen !== "noNetdev" || namespace.seen === "unknown" || isThere) return fact;
  const vf = readVfBasics(host, device.address);
  if (vf === undefined) return { seen: "gone" };
  // All processes of a busy node take seconds to look through: last.
  return { ...fact, doubt: doubtEmptyFolder(host, owner.netns) ?? findOpenDevice(host, vf, processes) };
}

// A netdev that came home proves what such a VF cannot: that the namespace went, not only the place where it was looked for.
function doubtEmptyFolder(host: Eyes, netns: string): string | undefined {
  const folder = dirname(resolveInRoot(host.files, host.paths.hostRoot, netns) ?? netns);
  const isTheirs = listMountPoints(host).some((path) => path === folder || path.startsWith(`${folder}/`));
  return isTheirs ? undefined : `no namespace is mounted in ${folder}, which is no mount point`;
}

function orUnknown<T>(read: () => T): T | { readonly seen: "unknown"; readonly reason: string } {
  try {
    return read();
  } catch (error) {
    if (error instanceof HostError) return unknown(error.message);
    throw error;
  }
}

function readNamespace(host: Eyes, owner: Attachment["owner"]): NamespaceFact {
  if (!owner.netns.startsWith("/")) return unknown("the record has no absolute path");
  const path = resolveInRoot(host.files, host.paths.hostRoot, owner.netns);
  if (path === undefined) return unknown("the path has too many symbolic links");
  const doubt = findDoubt(host, dirname(path));
  using handle = host.namespaces.open(join(host.paths.hostRoot, path));
  if (handle !== undefined) {
    const cookie = String(handle.cookie);
    return doubt === undefined || cookie === owner.cookie ? { seen: "namespace", cookie } : unknown(doubt);
  }
  if (doubt !== undefined) return unknown(doubt);
  if (path.startsWith("/proc/")) return unknown("a path of a process tells nothing once that process ended");
  // Made before the namespace is mounted on it, and left when the mount is one of another mount namespace.
  const isPlaceholder = host.files.stat(join(host.paths.hostRoot, path), { noFollow: true }) !== undefined;
  return isPlaceholder ? unknown("the file exists, but no namespace is mounted on it") : { seen: "missing" };
}

// Why what is seen in this folder need not be what the host sees; not being allowed to look at process 1 is such a reason.
function findDoubt(host: Eyes, folder: string): string | undefined {
  try {
    return doubtMountNamespace(host) ?? doubtFolder(host, folder);
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
}

// Process 1's mounts are what we look at: through its root, or because they are ours.
function doubtMountNamespace({ files, paths }: Eyes): string | undefined {
  if (paths.hostRoot === join(paths.proc, "1/root")) return undefined;
  const own = files.readLink(join(paths.proc, "self/ns/mnt"));
  const first = files.readLink(join(paths.proc, "1/ns/mnt"));
  return own !== undefined && own === first ? undefined : "it is not read in the host's mount namespace";
}

// Runtimes need not make the folder a mount point (containerd does not): where process 1 is the machine's, its being there
// is enough; inside a container only a folder that was mounted there can be the host's.
function doubtFolder(host: Eyes, folder: string): string | undefined {
  const { files, paths } = host;
  if (files.stat(join(paths.hostRoot, folder))?.kind !== "directory")
    return `the host has no folder ${folder}`;
  if (files.readLink(join(paths.proc, "self/ns/pid")) === initialPidNamespace) return undefined;
  return listMountPoints(host).includes(folder) ? undefined : `${folder} is not known to be the host's`;
}

// Source: Documentation/filesystems/proc.rst, 3.5 mountinfo: field 5, spaces and the like as octal escapes.
function listMountPoints({ files, paths }: Eyes): readonly string[] {
  const lines = (files.readText(join(paths.proc, "1/mountinfo")) ?? "").split("\n");
  return lines.map((line) =>
    (line.split(" ")[4] ?? "").replaceAll(/\\([0-7]{3})/g, (_, code: string) =>
      String.fromCodePoint(Number.parseInt(code, 8)),
    ),
  );
}

function readDevice(host: Eyes, { device }: Pick<Attachment, "device">): DeviceFact {
  const own = host.files.readLink(join(host.paths.proc, "self/ns/net"));
  const first = host.files.readLink(join(host.paths.proc, "1/ns/net"));
  if (own !== first) return unknown("this process is not in the host's network namespace");
  const vf = readVfBasics(host, device.address);
  if (vf === undefined || String(vf.inode) !== device.inode) return { seen: "gone" };
  const netdev = readPciNetdevs(host, device.address)[0];
  if (netdev !== undefined) return { seen: "home", netdev };
  return { seen: isNetworkVf(vf) ? "away" : "noNetdev" };
}

function unknown(reason: string): { readonly seen: "unknown"; readonly reason: string } {
  return { seen: "unknown", reason };
}
