// Which calls of a host change the node: what a refusal must not have made, also not to take it back again.

import type { Host } from "../../host/host.ts";
import { withFault } from "./faults.ts";

export interface WatchedHost {
  readonly host: Host;
  /** Names of the changing calls made so far: of links, VFs, addresses, routes, ethtool, sysfs, sysctls, and programs that were run. */
  readonly listChanges: () => readonly string[];
}

/** `host`, which notes its calls. */
export function watchChanges(host: Host): WatchedHost {
  const watched = withFault(host);
  return { host: watched.host, listChanges: () => watched.calls.filter(isChange) };
}

function isChange(call: string): boolean {
  return (
    /^open\w+\(\)\.(?:set|move|add|remove|delete)/.test(call) ||
    /^(?:files\.writeText|exec\.run|namespaces\.writeSysctls|trafficPrograms\..*)$/.test(call)
  );
}
