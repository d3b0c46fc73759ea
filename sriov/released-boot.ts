// The mark that the records of earlier boots were looked through: below /run, and it names its boot.

import type { Host } from "../host/host.ts";

type Marked = Pick<Host, "files" | "paths" | "clock">;

/** True once `releaseEarlierBoots` has been through since the node started: cheap, for every ADD to ask. */
export function isReleasedThisBoot({ files, paths, clock }: Marked): boolean {
  return files.readText(paths.releasedBoot)?.trim() === clock.bootId();
}

/** Says that it has. */
export function noteReleasedThisBoot({ files, paths, clock }: Marked): void {
  files.writeAtomic(paths.releasedBoot, `${clock.bootId()}\n`);
}
