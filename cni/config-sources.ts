// Where each key of ours may come from, and who wins: the one table. A key that stands anywhere else is an error.

import { networkEntries } from "../sriov/network-entries.ts";

/** `annotation`: of the pod, which the runtime passes in runtimeConfig. `file`: the network configuration itself. */
export type Place = "runtimeConfig" | "args.cni" | "CNI_ARGS" | "annotation" | "file";

/** A place, and what the key is called there. */
export interface Source {
  readonly place: Place;
  readonly key: string;
}

/** Keys that may come from elsewhere than the file; the first place that has one wins. Source: CNI CONVENTIONS.md. */
const manySources = {
  deviceID: [at("runtimeConfig", "deviceID"), at("file", "deviceID")],
  ips: [at("runtimeConfig", "ips"), at("args.cni", "ips"), at("CNI_ARGS", "IP"), at("file", "ips")],
  mac: [at("runtimeConfig", "mac"), at("args.cni", "mac"), at("CNI_ARGS", "MAC"), at("file", "mac")],
  tuning: [
    at("annotation", "virtfn/irq-policy"),
    at("args.cni", "irqPolicy"),
    at("CNI_ARGS", "IRQ_POLICY"),
    at("file", "tuning"),
  ],
} as const satisfies Readonly<Record<string, readonly Source[]>>;

/** Keys of a configuration that are no settings of one network. */
const topKeys = [
  "deviceID",
  "pciBusID",
  "networks",
  "withMultus",
  "resource",
  "ifNamePrefix",
  "pf",
  "logFile",
  "logLevel",
];

/** Every key of ours with its places, the one that wins first. */
export const keySources: ReadonlyMap<string, readonly Source[]> = new Map(
  [...Object.keys(networkEntries), ...topKeys].map((key) => [key, sourcesOf(key)]),
);

/** The key of ours that `name` means at `place`; none for a name that belongs to someone else, or may not stand there. */
export function findKey(place: Place, name: string): string | undefined {
  const folded = name.toLowerCase();
  const found = [...keySources].find(([, sources]) =>
    sources.some((source) => source.place === place && source.key.toLowerCase() === folded),
  );
  return found?.[0];
}

/** Whether `name` is a key of ours, or what one is called in some place, in any case. */
export function isOurKey(name: string): boolean {
  const folded = name.toLowerCase();
  // That is a delegate's, or another plugin's, unless the table takes it.
  if (folded === "ip") return false;
  return [...keySources].some(
    ([key, sources]) =>
      key.toLowerCase() === folded || sources.some((source) => source.key.toLowerCase() === folded),
  );
}

function sourcesOf(key: string): readonly Source[] {
  return Object.hasOwn(manySources, key) ? manySources[key as keyof typeof manySources] : [at("file", key)];
}

function at(place: Place, key: string): Source {
  return { place, key };
}
