// The kinds of interface that are compared.

import { type NetworkPolicy, networkPolicies } from "../../../sriov/network-entries.ts";

type SriovVariant = "sriov-untuned" | "sriov-irqbalance" | `sriov-${NetworkPolicy}`;
export type Variant = "host" | "veth-bridge" | "macvlan" | "ipvlan" | SriovVariant;

/** All of them; `explicit` is left out, as its CPU list comes from the node's configuration and `none` is `sriov-untuned`. */
export const variantNames: readonly Variant[] = [
  "host",
  "veth-bridge",
  "macvlan",
  "ipvlan",
  "sriov-untuned",
  "sriov-irqbalance",
  ...networkPolicies
    .filter((policy) => policy !== "explicit" && policy !== "none")
    .map((policy) => `sriov-${policy}` as const),
];

export function isVariant(name: string): name is Variant {
  return variantNames.some((known) => known === name);
}

export function isSriov(variant: Variant): boolean {
  return variant.startsWith("sriov-");
}

/** The interrupt policy that a variant asks virtfn for; `undefined` where virtfn leaves interrupts alone. */
export function policyOf(variant: Variant): NetworkPolicy | undefined {
  return networkPolicies.find((policy) => variant === `sriov-${policy}`);
}
