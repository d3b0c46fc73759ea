// The kernel, the drivers of PFs and VFs, and the IOMMU.

import type { PhysicalFunction, VirtualFunction } from "../../sriov/inventory.ts";
import { type Check, count, fail, type Finding, listSome, makeCheck, unknown, warn } from "./check.ts";

/** The first kernel that tells network namespaces apart for good (SO_NETNS_COOKIE). */
const leastKernel = [5, 14] as const;

/** The driver of a PF's VFs, where it is another one. Source: the kernel's drivers/net/ethernet. */
const vfDrivers: Readonly<Record<string, string>> = {
  igb: "igbvf",
  ixgbe: "ixgbevf",
  i40e: "iavf",
  ice: "iavf",
};

export const kernelChecks: readonly Check[] = [
  makeCheck({
    name: "kernel",
    needs: ["kernel"],
    find: ({ kernel: { release } }) => {
      const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
      const [leastMajor, leastMinor] = leastKernel;
      const isOldEnough = major > leastMajor || (major === leastMajor && minor >= leastMinor);
      if (isOldEnough) return [];
      return [
        fail(`Linux ${release}`, {
          expected: `Linux ${leastKernel.join(".")} or later`,
          fix: "update the node's kernel",
        }),
      ];
    },
    ok: ({ kernel: { release } }) => `Linux ${release}`,
  }),
  makeCheck({
    name: "pfs",
    needs: ["inventory"],
    find: ({ inventory: { pfs } }) => {
      if (pfs.size === 0)
        return [
          warn("no device that can have VFs (no sriov_totalvfs)", {
            expected: "a PF",
            fix: "switch SR-IOV on in the machine's and the card's firmware, or keep pods with VFs off this node",
          }),
        ];
      const found = [...pfs.values()];
      return [...found.flatMap(findMissingPfDriver), ...found.flatMap(findMissingVfs)];
    },
    ok: ({ inventory: { pfs } }) => listSome([...pfs.values()].map(describePf)),
  }),
  makeCheck({
    name: "vf-drivers",
    needs: ["inventory", "kernel"],
    find: ({ inventory: { pfs, vfs }, kernel: { drivers } }) => {
      const without = [...vfs.values()].filter(({ driver }) => driver === undefined);
      const groups = Map.groupBy(without, ({ pf }) => pf);
      return [...groups].flatMap(([pf, group]) => findMissingVfDriver(pfs.get(pf), group, drivers));
    },
    ok: ({ inventory: { vfs } }) => {
      const groups = Map.groupBy(vfs.values(), ({ driver }) => driver ?? "none");
      return (
        listSome([...groups].map(([driver, { length }]) => `${count(length, "VF")} with ${driver}`)) ||
        "no VF"
      );
    },
  }),
  makeCheck({
    name: "iommu",
    needs: ["vfio"],
    find: ({ vfio }) => {
      const { users, unread, isDriverLoaded, hasIommu, isUnsafeAllowed } = vfio;
      if (users.length === 0)
        return hasIommu
          ? []
          : unread.map((why) => unknown(`the IOMMU is off; whether vfio-pci is used: ${why}`));
      const found: Finding[] = [];
      const who = `for vfio-pci (${listSome(users, 3)})`;
      if (!isDriverLoaded)
        found.push(
          fail(`the driver vfio-pci is not loaded, ${who}`, {
            expected: "loaded",
            fix: "modprobe vfio-pci; for each boot: echo vfio-pci > /etc/modules-load.d/vfio-pci.conf",
          }),
        );
      const iommu = {
        expected: "an IOMMU",
        fix: "switch VT-d or AMD-Vi on in the firmware; on Intel boot with intel_iommu=on",
      };
      if (!hasIommu && isUnsafeAllowed)
        found.push(warn(`no IOMMU ${who}: pods can write to any memory of the node`, iommu));
      else if (!hasIommu) found.push(fail(`no IOMMU ${who}`, iommu));
      return found;
    },
    ok: ({ vfio: { users, hasIommu } }) => {
      const who = users.length === 0 ? "nothing uses vfio-pci" : `vfio-pci is for ${listSome(users, 3)}`;
      return `${hasIommu ? "on" : "off"}; ${who}`;
    },
  }),
];

function findMissingPfDriver({ address, driver }: PhysicalFunction): readonly Finding[] {
  if (driver !== undefined) return [];
  const fix = `lspci -k -s ${address} names the module: modprobe it`;
  return [fail(`the PF ${address} has no driver`, { expected: "its network driver", fix })];
}

function findMissingVfs({ address, netdevs, numVfs, totalVfs }: PhysicalFunction): readonly Finding[] {
  if (numVfs > 0) return [];
  const fix = `section provision of the resource configuration, or: echo N > /sys/bus/pci/devices/${address}/sriov_numvfs`;
  return [warn(`${netdevs[0] ?? address} has no VFs`, { expected: `1 to ${totalVfs}`, fix })];
}

function findMissingVfDriver(
  pf: PhysicalFunction | undefined,
  vfs: readonly VirtualFunction[],
  drivers: ReadonlySet<string>,
): readonly Finding[] {
  const wanted = pf?.driver === undefined ? undefined : (vfDrivers[pf.driver] ?? pf.driver);
  const names = listSome(
    vfs.map(({ address }) => address),
    3,
  );
  const isLoaded = wanted !== undefined && drivers.has(wanted);
  const bind = `for each: echo ADDRESS > /sys/bus/pci/drivers_probe (and driver_override empty)`;
  const fix = wanted === undefined || isLoaded ? bind : `modprobe ${wanted}`;
  return [
    warn(`no driver: ${names}; pods are not given ${vfs.length === 1 ? "it" : "them"}`, {
      expected: wanted ?? "a driver",
      fix,
    }),
  ];
}

function describePf({ address, netdevs, driver, numVfs, totalVfs }: PhysicalFunction): string {
  return `${netdevs[0] ?? address} (${driver ?? "no driver"}, ${numVfs}/${totalVfs} VFs)`;
}
