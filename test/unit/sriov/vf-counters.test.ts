// What PFs say of the traffic of their VFs, and when they are not believed.

import { expect, test } from "vitest";

import { NetlinkError } from "../../../host/errors.ts";
import { type PhysicalFunction, readInventory } from "../../../sriov/inventory.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { counterSides, type PfCounters, readVfCounters } from "../../../sriov/vf-counters.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const traffic = { rxBytes: 900, txBytes: 80, rxPackets: 9, txPackets: 8, rxDropped: 1, txDropped: 0 };
const ice = { name: "ens1f0", address: "0000:3b:00.0", vfs: 3, driver: "ice" } as const;
const address = parsePciAddress(ice.address);

function read({ host }: FakeHost): PfCounters | undefined {
  return readVfCounters(host, readInventory(host).pfs.values()).get(address);
}

function pfOf({ host }: FakeHost): PhysicalFunction {
  const pf = readInventory(host).pfs.get(address);
  if (pf === undefined) throw new Error("no PF");
  return pf;
}

function failToOpen(): never {
  throw new NetlinkError("open a socket", "EMFILE");
}

function reasonOf(told: PfCounters | undefined): string | undefined {
  return told !== undefined && "absent" in told ? `${told.absent.code}: ${told.absent.reason}` : undefined;
}

test("tells the VFs that something was counted for", () => {
  using node = createFakeHost([ice]);
  const [nic] = node.kernel.nics;
  if (nic !== undefined) nic.link.vfTraffic = new Map([[1, traffic]]);
  expect(read(node)).toEqual({ counters: new Map([[1, traffic]]) });
});

test.each([...Object.entries(counterSides), ["unheard-of", "both"]])(
  "a PF with the driver %s is asked where both sides are right",
  (driver, side) => {
    using node = createFakeHost([ice]);
    const told = reasonOf(readVfCounters(node.host, [{ ...pfOf(node), driver }]).get(address));
    const refusal = `driver: the driver ${driver} does not count for its VFs: take the counters in the pods`;
    expect(told).toBe(side === "both" ? undefined : refusal);
  },
);

test("says why where the list is too long for the kernel", () => {
  using node = createFakeHost([ice]);
  const [nic] = node.kernel.nics;
  if (nic !== undefined) nic.link.vfTraffic = "unfit";
  expect(reasonOf(read(node))).toBe(
    "too-many-vfs: the counters of 3 VFs of ens1f0 do not fit into one answer of the kernel: take those in the pods",
  );
});

test("one PF that cannot be asked does not hide the others", () => {
  using node = createFakeHost([ice, { ...ice, name: "ens2f0", address: "0000:5e:00.0" }]);
  const others = [...readInventory(node.host).pfs.values()].slice(1);
  const pfs = [{ ...pfOf(node), netdevs: ["gone0"] }, ...others];
  const told = [...readVfCounters(node.host, pfs).values()].map((one) => reasonOf(one) ?? "counters");
  expect(told).toEqual(["failed: counting VFs: ENODEV", "counters"]);
});

test("a PF without an interface here, and none without VFs", () => {
  using node = createFakeHost([ice]);
  const pf = pfOf(node);
  const told = readVfCounters(node.host, [{ ...pf, netdevs: [] }]);
  expect(reasonOf(told.get(address))).toBe("no-netdev: the PF has no interface on the node");
  expect(readVfCounters(node.host, [{ ...pf, numVfs: 0 }]).size).toBe(0);
});

test("without a netlink socket all PFs say so", () => {
  using node = createFakeHost([ice]);
  const told = readVfCounters({ openNetlink: failToOpen }, [pfOf(node)]);
  expect(reasonOf(told.get(address))).toBe("failed: open a socket: EMFILE");
});
