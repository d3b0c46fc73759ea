// Puts the CNI executable into the host's folder of CNI plugins.

import { join } from "node:path";
import { HostError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { targetOfTemporary } from "../../host/replace-file.ts";
import { findMissingLibraries } from "./host-libraries.ts";

export interface ExecutableOptions {
  /** The executable as it lies in the image. */
  readonly source: string;
  readonly binDir: string;
  /** Where the host's root is seen from here. */
  readonly hostRoot: string;
  /** Further names for it, for configurations that were written for another plugin ("sriov"). */
  readonly aliases: readonly string[];
}

/** The name that every chained entry and configuration of ours gives as its `type`. */
export const pluginName = "virtfn";

/** Ends the name under which another program's file is kept. */
export const savedSuffix = ".before-virtfn";

/** The host could not start the executable; what was installed before is still there. */
class HostLibraryError extends HostError {
  readonly code = "ERR_HOST_LIBRARY";

  constructor(folder: string, missing: readonly string[]) {
    super(`cannot install ${pluginName} in ${folder}: ${missing.join(" | ")}`);
  }
}

/**
 * Makes `binDir/virtfn`, and the same file under each alias, also of an installation before, equal to `source`: by rename, so that a pod started meanwhile
 * gets the old one or the new one. Gives the paths that were written; another program's file under an alias is kept beside
 * it as NAME.before-virtfn. What a killed installer left half copied is removed. Throws ERR_HOST_LIBRARY, with everything left as it was, when the host could not start it.
 */
export function installExecutable(host: Pick<Host, "files">, options: ExecutableOptions): readonly string[] {
  const { source, binDir, hostRoot, aliases } = options;
  const missing = findMissingLibraries(host.files, source, hostRoot);
  if (missing.length > 0) throw new HostLibraryError(binDir, missing);
  const ours = join(binDir, pluginName);
  const names = new Set([...aliases, ...listTwins(host, binDir)]);
  const paths = [...[...names].map((name) => join(binDir, name)), ours];
  removeUnfinished(host, binDir, new Set([pluginName, ...names]));
  return paths.filter((path) => {
    if (host.files.isSameContent(source, path)) return false;
    if (path !== ours) keepForeign(host, path, ours);
    host.files.copyFile(source, path, 0o755);
    return true;
  });
}

/** Names that nobody asks for any more go with the release: left behind, ours would look like another program's file. */
function listTwins({ files }: Pick<Host, "files">, folder: string): readonly string[] {
  const ours = join(folder, pluginName);
  const isTwin = (name: string): boolean => {
    const path = join(folder, name);
    const { kind, sizeBytes = 0 } = files.stat(path, { noFollow: true }) ?? {};
    // What a power cut emptied is not ours for that.
    return kind === "file" && sizeBytes > 0 && files.isSameContent(path, ours);
  };
  return (files.list(folder) ?? []).filter((name) => name !== pluginName && !isKept(name) && isTwin(name));
}

/** Another program's file that was kept, ours that somebody keeps to go back to (virtfn.old), or a file that is being written. */
function isKept(name: string): boolean {
  const isCopy = name.startsWith(pluginName) && /^[._-]/.test(name.slice(pluginName.length));
  return isCopy || name.includes(savedSuffix) || targetOfTemporary(name) !== undefined;
}

/**
 * Our own file of the release before is told by its twin: aliases are written before `ours` is. Where somebody removed the twin it
 * looks foreign, so what is kept already is never written over.
 */
function keepForeign({ files }: Pick<Host, "files">, path: string, ours: string): void {
  if (files.stat(path) === undefined || files.isSameContent(path, ours)) return;
  let kept = `${path}${savedSuffix}`;
  for (let number = 2; files.stat(kept, { noFollow: true }) !== undefined; number += 1) {
    if (files.isSameContent(path, kept)) return;
    kept = `${path}${savedSuffix}.${number}`;
  }
  files.copyFile(path, kept, 0o755);
}

// There is one installer on a node: nobody else is at work on them.
function removeUnfinished({ files }: Pick<Host, "files">, folder: string, names: ReadonlySet<string>): void {
  for (const entry of files.list(folder) ?? [])
    if (names.has(targetOfTemporary(entry) ?? "")) files.remove(join(folder, entry));
}
