// The network sysctls of a VF inside its pod. They belong to the interface there and end with it: DEL has nothing to put back.

import type { Cidr } from "../sriov/cidr.ts";
import type { PodNetwork } from "./config.ts";

/**
 * Values by their path below /proc/sys/net. Announcing networks let the kernel announce later changes too and use IPv6
 * addresses while it looks for duplicates (RFC 4429). Source: Documentation/networking/ip-sysctl.rst.
 */
export function planSysctls(
  name: string,
  { announce }: Pick<PodNetwork, "announce">,
  addresses: readonly Pick<Cidr, "family">[],
): Readonly<Record<string, string>> {
  const needsIpv6 = addresses.some(({ family }) => family === 6);
  return {
    // Runtimes make namespaces in which IPv6 is off.
    ...(needsIpv6 ? { [`ipv6/conf/${name}/disable_ipv6`]: "0" } : {}),
    ...(announce
      ? {
          [`ipv4/conf/${name}/arp_notify`]: "1",
          [`ipv6/conf/${name}/ndisc_notify`]: "1",
          [`ipv6/conf/${name}/optimistic_dad`]: "1",
          [`ipv6/conf/${name}/use_optimistic`]: "1",
        }
      : {}),
  };
}
