// What ADD set for a VF, in words.

import type { Attachment } from "../../sriov/attachment.ts";

/** "; VLAN 100, MAC 02:..; addresses 192.0.2.7/24", empty where nothing was set. */
export function describeSettings({ applied }: Pick<Attachment, "applied">): string {
  const { vlan, qos, mac, mtu, driver, addresses, routes } = applied;
  const { spoofchk, trust, linkState, minTxRateMbps, maxTxRateMbps } = applied;
  const set = [
    tell("VLAN", vlan),
    tell("QoS", qos),
    tell("MAC", mac),
    tell("MTU", mtu),
    tell("driver", driver),
    tell("spoofchk", spoofchk === undefined ? undefined : onOff(spoofchk)),
    tell("trust", trust === undefined ? undefined : onOff(trust)),
    tell("link state", linkState),
    tell("least rate", minTxRateMbps === undefined ? undefined : `${minTxRateMbps} Mbit/s`),
    tell("most rate", maxTxRateMbps === undefined ? undefined : `${maxTxRateMbps} Mbit/s`),
    tell("addresses", addresses.join(" ") || undefined),
    tell("routes", routes.map(({ destination }) => destination).join(" ") || undefined),
  ].filter((text) => text !== undefined);
  return set.length === 0 ? "" : `; ${set.join(", ")}`;
}

function tell(name: string, value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : `${name} ${value}`;
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}
