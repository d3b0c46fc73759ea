// Whether the host can start an executable: its loader, its libraries, and their symbol versions, looked up below the host's root.

import { dirname, join } from "node:path";
import type { Files } from "../../host/files.ts";
import { type ElfNeeds, readElfNeeds } from "./elf.ts";

type Reader = Pick<Files, "readBytes" | "readLink" | "stat">;

const folders = ["lib64", "usr/lib64", "lib", "usr/lib"];
const triplets = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
const maxLinks = 40;

/**
 * What the host with its root at `hostRoot` lacks to start `executable`, one sentence each; empty when it has everything.
 * Nothing is started: the loader and libraries are read, as the host's may be newer or older than the ones here.
 */
export function findMissingLibraries(files: Reader, executable: string, hostRoot: string): readonly string[] {
  const needs = readNeeds(files, executable);
  if (needs === "cut short") return [`${executable} is cut short`];
  if (needs?.loader === undefined) return [];
  const loader = resolveBelow(files, hostRoot, needs.loader);
  if (loader === undefined) return [`the host has no ${needs.loader}`];
  const searched = [
    dirname(loader),
    ...folders,
    ...triplets.flatMap((triplet) => folders.map((folder) => join(folder, triplet))),
  ];
  return needs.libraries.flatMap((library) => {
    const path = searched
      .map((folder) => resolveBelow(files, hostRoot, join(folder, library)))
      .find((found) => found !== undefined);
    if (path === undefined) return [`the host has no ${library}`];
    const found = readNeeds(files, join(hostRoot, path));
    if (found === "cut short") return [`the host's ${path} is cut short`];
    const offers = found?.offers ?? [];
    const missing = (needs.versions.get(library) ?? []).filter((version) => !offers.includes(version));
    return missing.length === 0 ? [] : [`the host's ${path} has no ${missing.join(", ")}`];
  });
}

function readNeeds(files: Reader, path: string): ElfNeeds | "cut short" | undefined {
  try {
    return readElfNeeds((offset, length) => files.readBytes(path, offset, length) ?? new Uint8Array());
  } catch (error) {
    if (error instanceof RangeError) return "cut short";
    throw error;
  }
}

/**
 * `path` with every symbolic link followed as the host would follow it, starting with "/" and to be read below `root`;
 * undefined when it is missing. The kernel would take an absolute link out of `root` and into this container's files.
 */
function resolveBelow(files: Reader, root: string, path: string): string | undefined {
  let rest = path.split("/").filter(Boolean);
  let done = "/";
  for (let links = 0; rest.length > 0;) {
    const next = join(done, rest[0] ?? "");
    const target = files.readLink(join(root, next));
    rest = rest.slice(1);
    if (target === undefined) {
      done = next;
      continue;
    }
    links += 1;
    if (links > maxLinks) return undefined;
    if (target.startsWith("/")) done = "/";
    rest = [...target.split("/").filter(Boolean), ...rest];
  }
  return files.stat(join(root, done)) === undefined ? undefined : done;
}
