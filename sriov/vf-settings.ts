// PF-side settings of a VF: what is wanted, compared with what is there, as steps that can be printed and undone.

import type { VfChange, VfInfo } from "../host/netlink/netlink.ts";
import type { VfSideSettings } from "./attachment.ts";
import { VfUnsupportedError } from "./vf-errors.ts";

/** One message to the PF, and the one that takes it back. */
export interface VfStep {
  readonly change: VfChange;
  readonly undo: VfChange;
}

/**
 * Steps that bring the VF from `current` to `desired`, in the order in which they are to be done; none when nothing differs.
 * Throws ERR_VF_UNSUPPORTED for a setting that the driver does not report: it could be neither checked nor put back.
 */
export function planVf(current: VfInfo, desired: VfSideSettings): readonly VfStep[] {
  const steps = [
    planFlag("trust", current.trust, desired.trust),
    planFlag("spoofchk", current.spoofchk, desired.spoofchk),
    planVlan(current, desired),
    planMac(current, desired),
    planRate(current, desired),
    planLinkState(current, desired),
  ];
  return steps.filter((step) => step !== undefined);
}

/**
 * The rates apart from all else: a PF that has no link may refuse them, which must keep nothing else from being put back. They are
 * set last.
 */
export function partRates(settings: VfSideSettings): {
  readonly rates: VfSideSettings;
  readonly others: VfSideSettings;
} {
  const { minTxRateMbps, maxTxRateMbps, ...others } = settings;
  return { rates: { minTxRateMbps, maxTxRateMbps }, others };
}

/** Whether `info` shows what `change` set. */
export function hasVfChange(info: VfInfo, change: VfChange): boolean {
  switch (change.set) {
    case "mac":
      return info.mac === change.mac;
    case "vlan":
      return info.vlan === change.vlan && info.qos === change.qos && info.vlanProto === change.vlanProto;
    case "rate":
      return info.minTxRateMbps === change.minTxRateMbps && info.maxTxRateMbps === change.maxTxRateMbps;
    case "spoofchk":
    case "trust":
      return info[change.set] === change.value;
    case "linkState":
      return info.linkState === change.value;
  }
}

/** A change in words: "vlan 100 qos 3 802.1q". */
export function describeVfChange(change: VfChange): string {
  switch (change.set) {
    case "mac":
      return `mac ${change.mac}`;
    case "vlan":
      return `vlan ${change.vlan} qos ${change.qos} ${change.vlanProto}`;
    case "rate":
      return `rate ${change.minTxRateMbps}-${change.maxTxRateMbps} Mbit/s`;
    case "spoofchk":
    case "trust":
      return `${change.set} ${change.value ? "on" : "off"}`;
    case "linkState":
      return `link_state ${change.value}`;
  }
}

/** What the PF reports of a VF, as a record keeps it. */
export function toVfSide(info: VfInfo): VfSideSettings {
  const { mac, vlan, qos, vlanProto, spoofchk, trust, linkState, minTxRateMbps, maxTxRateMbps } = info;
  return { adminMac: mac, vlan, qos, vlanProto, spoofchk, trust, linkState, minTxRateMbps, maxTxRateMbps };
}

function planFlag(
  set: "trust" | "spoofchk",
  current: boolean | undefined,
  value: boolean | undefined,
): VfStep | undefined {
  if (value === undefined || value === current) return undefined;
  if (current === undefined) throw new VfUnsupportedError(set);
  return { change: { set, value }, undo: { set, value: current } };
}

function planVlan(current: VfInfo, desired: VfSideSettings): VfStep | undefined {
  if (desired.vlan === undefined) return undefined;
  const { vlan } = desired;
  const change = {
    set: "vlan",
    vlan,
    qos: vlan === 0 ? 0 : (desired.qos ?? 0),
    vlanProto: vlan === 0 ? "802.1q" : (desired.vlanProto ?? "802.1q"),
  } as const;
  if (hasVfChange(current, change)) return undefined;
  const { qos, vlanProto } = current;
  return { change, undo: { set: "vlan", vlan: current.vlan, qos, vlanProto } };
}

function planMac(current: VfInfo, { adminMac }: VfSideSettings): VfStep | undefined {
  if (adminMac === undefined || adminMac === current.mac) return undefined;
  return { change: { set: "mac", mac: adminMac }, undo: { set: "mac", mac: current.mac } };
}

function planRate(current: VfInfo, desired: VfSideSettings): VfStep | undefined {
  if (desired.minTxRateMbps === undefined && desired.maxTxRateMbps === undefined) return undefined;
  const { minTxRateMbps: min, maxTxRateMbps: max } = current;
  if (min === undefined || max === undefined) throw new VfUnsupportedError("min_tx_rate, max_tx_rate");
  const minTxRateMbps = desired.minTxRateMbps ?? min;
  const maxTxRateMbps = desired.maxTxRateMbps ?? max;
  if (minTxRateMbps === min && maxTxRateMbps === max) return undefined;
  return {
    change: { set: "rate", minTxRateMbps, maxTxRateMbps },
    undo: { set: "rate", minTxRateMbps: min, maxTxRateMbps: max },
  };
}

function planLinkState(current: VfInfo, { linkState: value }: VfSideSettings): VfStep | undefined {
  if (value === undefined || value === current.linkState) return undefined;
  if (current.linkState === undefined) throw new VfUnsupportedError("link_state");
  return { change: { set: "linkState", value }, undo: { set: "linkState", value: current.linkState } };
}
