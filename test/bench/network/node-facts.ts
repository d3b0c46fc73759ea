// What the node under test is like before anything is changed, and why the bench may not run on it.

import { existsSync } from "node:fs";
import { join } from "node:path";

import { findVfUsers, type UserEyes } from "../../../cli/provision/vf-users.ts";
import { createHost } from "../../../host/create-host.ts";
import { readInventory } from "../../../sriov/inventory.ts";
import { allNames, irqbalancePidFile } from "./layout.ts";
import type { BenchOptions } from "./options.ts";
import type { Run } from "./step.ts";
import { isSriov, type Variant, whyNever } from "./variant.ts";

export interface PfFacts {
  readonly name: string;
  readonly isUp: boolean;
  /** Of the link, and of what lies on it or holds it. */
  readonly uses: readonly string[];
  /** PCI address, VFs and who has them; `undefined` for an interface without SR-IOV. */
  readonly sriov:
    | {
        readonly address: string;
        readonly totalVfs: number;
        readonly vfs: readonly string[];
        readonly users: readonly string[];
      }
    | undefined;
}

interface ShownLink {
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly master?: string;
  readonly link?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly { readonly scope: string; readonly local: string }[];
}

/** Reads by iproute2 and by the product's own eyes. Throws when there is no such interface. */
export async function readPfFacts(run: Run, name: string, host: UserEyes = createHost()): Promise<PfFacts> {
  const links = JSON.parse(await run({ argv: ["ip", "-j", "-d", "address", "show"] })) as ShownLink[];
  const link = links.find(({ ifname }) => ifname === name);
  if (link === undefined)
    throw new Error(
      `no interface ${name} in this network namespace; there are ${links.map(({ ifname }) => ifname).join(", ")}`,
    );
  const pf = [...readInventory(host).pfs.values()].find(({ netdevs }) => netdevs.includes(name));
  const addresses = (link.addr_info ?? []).filter(({ scope }) => scope === "global");
  const uppers = links.filter(
    (other) => other.link === name && other.linkinfo?.info_kind !== "veth" && other.ifname !== name,
  );
  return {
    name,
    isUp: link.flags.includes("UP"),
    uses: [
      ...addresses.map(({ local }) => `it has the address ${local}`),
      ...(link.master === undefined ? [] : [`it belongs to ${link.master}`]),
      ...uppers.map(({ ifname }) => `${ifname} lies on it`),
    ],
    sriov:
      pf === undefined
        ? undefined
        : {
            address: pf.address,
            totalVfs: pf.totalVfs,
            vfs: pf.vfs,
            users: findVfUsers(host, pf, undefined).map(({ text }) => text),
          },
  };
}

/** Commands that take away what the bench has a name for and is there already: a killed run's, or another run is under way. */
export async function findLeftovers(run: Run, folder = "/run"): Promise<readonly string[]> {
  const names = allNames();
  const links = JSON.parse(await run({ argv: ["ip", "-j", "link", "show"] })) as ShownLink[];
  const there = new Set(links.map(({ ifname }) => ifname));
  const pidFile = join(folder, irqbalancePidFile);
  return [
    ...(existsSync(pidFile) ? [`kill $(cat ${pidFile}); rm ${pidFile}`] : []),
    ...names.namespaces
      .filter((name) => existsSync(join(folder, "netns", name)))
      .map((name) => `ip netns del ${name}`),
    ...names.links.filter((name) => there.has(name)).map((name) => `ip link del ${name}`),
  ];
}

/** Every reason at once; empty when the bench may run. `pf` is `undefined` where a veth pair will stand in. */
export function whyRefuse(
  options: Pick<BenchOptions, "variants" | "namespaces">,
  pf: PfFacts | undefined,
  leftovers: readonly string[],
): readonly string[] {
  const wantsVfs = options.variants.some(isSriov);
  const { sriov, name = "" } = pf ?? { sriov: undefined };
  return [
    ...leftovers.map((command) => `something of a run before is there; end that run, or: ${command}`),
    ...(pf?.uses ?? []).map((use) => `${name} is in use: ${use}`),
    ...(sriov?.users ?? []).map((user) => `a VF of ${name} is in use: ${user}`),
    ...(wantsVfs && sriov === undefined
      ? [`variants with SR-IOV need --pf with an interface that can have VFs; ${name || "a veth"} cannot`]
      : []),
    ...(wantsVfs && sriov !== undefined ? whyTooFew(sriov, options.namespaces) : []),
  ];
}

function whyTooFew({ totalVfs, vfs }: NonNullable<PfFacts["sriov"]>, namespaces: number): readonly string[] {
  if (vfs.length > 0 && vfs.length < namespaces)
    return [`${namespaces} namespaces need as many VFs, there are ${vfs.length}: remove them, or make more`];
  return totalVfs < namespaces
    ? [`${namespaces} namespaces need as many VFs, the PF can have ${totalVfs}`]
    : [];
}

const kinds: ReadonlyMap<Variant, string> = new Map([
  ["macvlan", "macvlan"],
  ["ipvlan", "ipvlan"],
  ["veth-bridge", "bridge"],
]);

/** Why this kernel or machine can't have a variant; `undefined` when it can. Tries it on a pair of its own, in a namespace that is gone afterwards. */
export async function whyNoVariant(run: Run, variant: Variant): Promise<string | undefined> {
  const never = whyNever(variant);
  if (never !== undefined) return never;
  try {
    if (variant === "sriov-irqbalance") await run({ argv: ["sh", "-c", "command -v irqbalance"] });
    const kind = kinds.get(variant);
    if (kind === undefined) return undefined;
    const on = kind === "bridge" ? "" : "link pa";
    const script = `set -e; n=vbench-probe-$$; ip netns add $n; trap 'ip netns del $n' EXIT
      ip -n $n link add pa type veth peer name pb; ip -n $n link add ${on} name pc type ${kind}`;
    await run({ argv: ["sh", "-c", script] });
    return undefined;
  } catch (error) {
    const [, ...why] = (error instanceof Error ? error.message : String(error)).split(": ").slice(-2);
    return `this machine cannot make it: ${why.join(": ").trim() || String(error)}`;
  }
}
