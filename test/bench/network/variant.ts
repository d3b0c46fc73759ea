// The kinds of interface that are compared.

import { type NetworkPolicy, networkPolicies } from "../../../sriov/network-entries.ts";

type SriovVariant = "sriov-untuned" | "sriov-irqbalance" | `sriov-${NetworkPolicy}`;
export type Variant = "host" | "veth-bridge" | "macvlan" | "ipvlan" | SriovVariant;

/** All names; `explicit` is left out, as its CPU list comes from the node's configuration and `none` is `sriov-untuned`. */
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

const podPolicies = [
  "follow-pod",
  "pod-sibling",
  "pod-first-core",
] as const satisfies readonly NetworkPolicy[];

/** Why no machine can have a variant; `undefined` where one can. The bench has namespaces, no pods to which a kubelet gave CPUs. */
export function whyNever(variant: Variant): string | undefined {
  const policy = podPolicies.find((one) => one === policyOf(variant));
  if (policy === undefined) return undefined;
  return `policy ${policy} goes by CPUs that the kubelet gave to a pod alone, and the bench has no pods: numa-spread would be measured`;
}

/** The interrupt policy that a variant asks virtfn for; `undefined` where virtfn leaves interrupts alone. */
export function policyOf(variant: Variant): NetworkPolicy | undefined {
  return networkPolicies.find((policy) => variant === `sriov-${policy}`);
}
