// Settings through the PF: from any state to any other, and nothing left to do afterwards.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { VfSideSettings } from "../../../sriov/attachment.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { applyVf, readVfInfo, type VfOnPf } from "../../../sriov/vf-apply.ts";
import { describeVfChange, planVf } from "../../../sriov/vf-settings.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const flag = fc.option(fc.boolean(), { nil: undefined });
const vlan = fc.record({
  vlan: fc.integer({ min: 0, max: 4094 }),
  qos: fc.option(fc.integer({ min: 0, max: 7 }), { nil: undefined }),
  vlanProto: fc.constantFrom("802.1q", "802.1ad", undefined),
});
const settings: fc.Arbitrary<VfSideSettings> = fc
  .tuple(
    fc.record({
      spoofchk: flag,
      trust: flag,
      linkState: fc.constantFrom("auto", "enable", "disable", undefined),
      minTxRateMbps: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
      maxTxRateMbps: fc.option(fc.integer({ min: 100, max: 900 }), { nil: undefined }),
      adminMac: fc.constantFrom("02:00:00:00:77:01", "02:00:00:00:77:02", undefined),
    }),
    fc.option(vlan, { nil: {} }),
  )
  .map(([one, other]) => Object.assign({}, one, other));

function targetOf(node: FakeHost): VfOnPf {
  const netlink = node.host.openNetlink();
  const pfIndex = netlink.getLink({ name: "ens1f0" })?.index ?? 0;
  return { netlink, pf: parsePciAddress("0000:3b:00.0"), pfName: "ens1f0", pfIndex, vf: 1 };
}

test("after a plan is applied the plan is empty, whatever the state before", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, driver: "ice" }]);
  const target = targetOf(node);
  await fc.assert(
    fc.asyncProperty(settings, async (desired) => {
      await applyVf(node.host, target, planVf(readVfInfo(target), desired));
      expect(planVf(readVfInfo(target), desired)).toEqual([]);
    }),
    { numRuns: 300, seed: 7 },
  );
});

test("undoing the steps in reverse gives the state before", async () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, driver: "ice" }]);
  const target = targetOf(node);
  await fc.assert(
    fc.asyncProperty(settings, async (desired) => {
      const before = readVfInfo(target);
      const steps = planVf(before, desired);
      await applyVf(node.host, target, steps);
      await applyVf(
        node.host,
        target,
        steps.toReversed().map(({ change, undo }) => ({ change: undo, undo: change })),
      );
      expect(readVfInfo(target)).toEqual(before);
    }),
    { numRuns: 200, seed: 8 },
  );
});

test("steps come in one order and say what they do", () => {
  using node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2, driver: "ice" }]);
  const desired = {
    adminMac: "02:00:00:00:77:01",
    vlan: 5,
    trust: true,
    spoofchk: false,
    maxTxRateMbps: 100,
    linkState: "enable",
  } as const;
  const steps = planVf(readVfInfo(targetOf(node)), desired);
  expect(steps.map(({ change }) => describeVfChange(change))).toEqual([
    "trust on",
    "spoofchk off",
    "vlan 5 qos 0 802.1q",
    "mac 02:00:00:00:77:01",
    "rate 0-100 Mbit/s",
    "link_state enable",
  ]);
});

test("a step that the driver refuses is named, and those before it are undone", async () => {
  using node = createFakeHost();
  const target = targetOf(node);
  const before = node.toText();
  const steps = planVf(readVfInfo(target), { trust: true, vlan: 5, linkState: "enable" });
  await expect(applyVf(node.host, target, steps)).rejects.toThrow(
    "setting link_state enable on ens1f0 vf 1: setting linkState of ens1f0 vf 1: EOPNOTSUPP",
  );
  expect(node.toText()).toBe(before);
});

test.each(["EBUSY", "EAGAIN"])(
  "a driver that is busy (%s) is asked again, later and later",
  async (errno) => {
    using node = createFakeHost();
    const target = targetOf(node);
    let refusals = 3;
    const { NetlinkError } = await import("../../../host/errors.ts");
    const setVf: VfOnPf["netlink"]["setVf"] = (...change) => {
      refusals -= 1;
      if (refusals >= 0) throw new NetlinkError("setting", errno);
      target.netlink.setVf(...change);
    };
    const busy = { ...target, netlink: { ...target.netlink, setVf } };
    const pauses: number[] = [];
    const sleep = async (ms: number): Promise<void> => {
      pauses.push(ms);
      await node.clock.advance(ms);
    };
    const host = { ...node.host, clock: { ...node.host.clock, sleep } };
    await applyVf(host, busy, planVf(readVfInfo(target), { vlan: 9 }));
    expect(readVfInfo(target).vlan).toBe(9);
    expect(pauses).toEqual([5, 10, 20]);
    refusals = Infinity;
    await expect(applyVf(host, busy, planVf(readVfInfo(target), { vlan: 8 }))).rejects.toMatchObject({
      code: "ERR_VF_STEP",
      message: expect.stringContaining(errno) as string,
    });
    expect(readVfInfo(target).vlan).toBe(9);
  },
);

test("a driver that says yes and does nothing is found out", async () => {
  using node = createFakeHost();
  const target = targetOf(node);
  const deaf = { ...target, netlink: { ...target.netlink, setVf: () => undefined } };
  await expect(applyVf(node.host, deaf, planVf(readVfInfo(target), { vlan: 9 }))).rejects.toThrow(
    "reading back ens1f0 vf 1: expected vlan 9 qos 0 802.1q, got",
  );
});

test("a setting that the driver does not report is refused before anything is done", () => {
  using node = createFakeHost();
  const info = { ...readVfInfo(targetOf(node)), trust: undefined };
  expect(() => planVf(info, { trust: true })).toThrow("does not report trust");
});
