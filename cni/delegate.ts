// What an IPAM delegate gets on stdin: the network's name and version, and the ipam part of its configuration.

import type { IpamLease } from "../sriov/attachment.ts";
import type { CniConfig, PodNetwork } from "./config.ts";
import type { CniCall } from "./environment.ts";

/** The delegate's call for one interface; `undefined` without IPAM. Kept in the record: DEL calls it the same way. */
export function makeLease(
  call: Pick<CniCall, "path" | "args">,
  config: Pick<CniConfig, "cniVersion" | "name" | "delegate">,
  network: Pick<PodNetwork, "ipam">,
  interfaceName: string,
): IpamLease | undefined {
  if (network.ipam === undefined) return undefined;
  const { type } = network.ipam;
  const { cniVersion, name, delegate } = config;
  const { runtimeConfig, args } = delegate;
  const request = {
    cniVersion,
    name,
    type,
    ipam: network.ipam.config,
    runtimeConfig: pickWishes(runtimeConfig),
    args,
  };
  return {
    type,
    config: JSON.stringify(request),
    path: call.path,
    interface: interfaceName,
    args: call.args,
  };
}

// What delegates read there (CNI CONVENTIONS.md); a pod's annotations would only make the record long.
const wishes: ReadonlySet<string> = new Set(["ips", "ipranges"]);

function pickWishes(runtimeConfig: object | undefined): object | undefined {
  const found = Object.entries(runtimeConfig ?? {}).filter(([key]) => wishes.has(key.toLowerCase()));
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
