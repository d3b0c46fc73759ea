// Whether anything on the node uses vfio-pci, and what it needs for that.

import { SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import type { DeviceGrant } from "../../kubelet/checkpoint-grants.ts";
import type { Advertisement } from "../../sriov/advertised-pools.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import type { Inventory } from "../../sriov/inventory.ts";
import { readNodeConfig } from "../../sriov/node-config.ts";
import { parseResourceConfig } from "../../sriov/resource-config.ts";
import { readAttribute } from "../../sriov/sysfs.ts";
import { awaitFact, type Reading } from "./reading.ts";

export interface VfioFacts {
  /** Who uses it, or is to: "the resource example.com/fast". */
  readonly users: readonly string[];
  /** Configurations that could not be read, and so may ask for it too. */
  readonly unread: readonly string[];
  readonly isDriverLoaded: boolean;
  readonly hasIommu: boolean;
  /** The machine was told to do without an IOMMU, and so without protection. */
  readonly isUnsafeAllowed: boolean;
}

interface Sources {
  readonly inventory: Reading<Inventory>;
  readonly live: Reading<readonly Attachment[]>;
  readonly grants: Reading<readonly DeviceGrant[]>;
  readonly advertised: Reading<Advertisement | undefined>;
}

/** Puts together what drivers, records, the checkpoint and configurations say. Source: Documentation/ABI/testing/sysfs-kernel-iommu_groups. */
export async function readVfioFacts(
  host: Pick<Host, "files" | "paths">,
  { inventory, live, grants, advertised }: Sources,
): Promise<VfioFacts> {
  const { files, paths } = host;
  const users: string[] = [];
  const unread: string[] = [];
  const take = <T>(reading: Reading<T>, tell: (value: T) => readonly string[]): void => {
    if ("unknown" in reading) unread.push(reading.unknown);
    else users.push(...tell(reading.value));
  };
  take(inventory, ({ vfs }) =>
    [...vfs.values()].flatMap(({ driver, address }) => (driver === "vfio-pci" ? [`VF ${address}`] : [])),
  );
  take(live, (records) =>
    records.flatMap(({ applied, device }) => (applied.driver === "vfio-pci" ? [`VF ${device.address}`] : [])),
  );
  take(grants, (all) =>
    all.flatMap(({ nodes, resource }) =>
      nodes.some((node) => node.startsWith("/dev/vfio/")) ? [`the resource ${resource}`] : [],
    ),
  );
  take(await awaitFact(() => readLimits(host)), (names) => names);
  take(await awaitFact(async () => readResources(host, advertised)), (names) => names);
  const folder = `${paths.sys}/kernel/iommu_groups`;
  return {
    users: [...new Set(users)],
    unread,
    isDriverLoaded: files.stat(`${paths.sys}/bus/pci/drivers/vfio-pci`) !== undefined,
    hasIommu: (files.list(folder) ?? []).some(
      (group) => readAttribute(files, `${folder}/${group}/name`) !== "vfio-noiommu",
    ),
    isUnsafeAllowed:
      readAttribute(files, `${paths.sys}/module/vfio/parameters/enable_unsafe_noiommu_mode`) === "Y",
  };
}

async function readLimits(host: Pick<Host, "files" | "paths">): Promise<readonly string[]> {
  const { limits } = await readNodeConfig(host);
  return [...limits].flatMap(([resource, { driver }]) =>
    driver === "vfio-pci" ? [`networks of ${resource} (node.yaml)`] : [],
  );
}

function readResources(
  { files, paths }: Pick<Host, "files" | "paths">,
  advertised: Sources["advertised"],
): readonly string[] {
  const path = paths.resourceConfig;
  const text = files.readText(path);
  // Without a file nothing is offered but VFs with network drivers; but a container may have it where this one has none.
  if (text === undefined && files.stat(paths.pools) !== undefined)
    throw new SystemCallError("open", path, "ENOENT");
  const pools = parseResourceConfig(text ?? "resourceList: []", { path, prefix: "sriov" });
  const offered = "value" in advertised ? [...(advertised.value?.pools.keys() ?? [])] : [];
  const named = new Set(pools.map(({ name }) => name));
  return pools
    .filter(
      ({ driver, selectors }) =>
        driver === "vfio-pci" || selectors.some(({ drivers }) => drivers.includes("vfio-pci")),
    )
    .map(({ name }) => `the resource ${nameAsOffered(name, named, offered)}`);
}

/** The prefix of a resource that has none in the file is a flag of the device plugin, which nobody but it knows. */
function nameAsOffered(name: string, named: ReadonlySet<string>, offered: readonly string[]): string {
  if (offered.includes(name)) return name;
  const ending = name.slice(name.indexOf("/"));
  return offered.find((other) => other.endsWith(ending) && !named.has(other)) ?? name;
}
