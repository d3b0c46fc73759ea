// The mark that the records of earlier boots were looked through: below /run, and it names its boot.

import type { Host } from "../host/host.ts";
import type { NodeReader } from "../host/node-reader.ts";

/** True once `releaseEarlierBoots` has been through since the node started: cheap, for every ADD to ask. */
export function isReleasedThisBoot({ files, paths, clock }: NodeReader): boolean {
  return files.readText(paths.releasedBoot)?.trim() === clock.bootId();
}

/** Says that it has. */
export function noteReleasedThisBoot({ files, paths, clock }: Pick<Host, "files" | "paths" | "clock">): void {
  files.writeAtomic(paths.releasedBoot, `${clock.bootId()}\n`);
}
