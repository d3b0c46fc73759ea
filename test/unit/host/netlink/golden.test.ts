// Our requests against what iproute2 sends for the same change, byte for byte (recorded by test/support/record-iproute2-main.ts).

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { addAddressRequest, removeAddressRequest } from "../../../../host/netlink/address.ts";
import {
  addAltNameRequest,
  deleteLinkRequest,
  moveLinkRequest,
  removeAltNameRequest,
  setLinkRequest,
} from "../../../../host/netlink/link-change.ts";
import { encodeMessage, NLM_F_ACK, type NetlinkRequest } from "../../../../host/netlink/message.ts";
import { addRouteRequest, removeRouteRequest } from "../../../../host/netlink/route-change.ts";
import { setVfRequest } from "../../../../host/netlink/vf-change.ts";

const fixture = join(import.meta.dirname, "../../../fixtures/netlink/iproute2.json");
const recorded = JSON.parse(readFileSync(fixture, "utf8")) as readonly { command: string; hex: string }[];
const va = 2;
const ipv4 = { family: 4, address: "10.9.0.2", prefixLength: 24 } as const;
const ipv6 = { family: 6, address: "2001:db8:9::2", prefixLength: 64 } as const;
const viaGateway = { family: 4, destination: "10.20.0.0/16", gateway: "10.9.0.1", index: va } as const;

/** The descriptor number in the recorded move, which was iproute2's. */
const recordedFd = 4;

const requests: readonly (readonly [string, NetlinkRequest])[] = [
  ["link set dev va up", setLinkRequest(va, { set: "up", value: true })],
  ["link set dev va down", setLinkRequest(va, { set: "up", value: false })],
  ["link set dev va promisc on", setLinkRequest(va, { set: "promiscuous", value: true })],
  ["link set dev va allmulticast off", setLinkRequest(va, { set: "allMulticast", value: false })],
  ["link set dev va mtu 1400", setLinkRequest(va, { set: "mtu", value: 1400 })],
  [
    "link set dev va address 02:00:00:00:00:05",
    setLinkRequest(va, { set: "mac", value: "02:00:00:00:00:05" }),
  ],
  ["link set dev va name vrenamed", setLinkRequest(va, { set: "name", value: "vrenamed" })],
  ["link set dev va netns TARGET", moveLinkRequest(va, recordedFd)],
  ["link set dev vc netns TARGET name net1", moveLinkRequest(4, recordedFd, "net1")],
  ["link property add dev va altname a-rather-long-altname", addAltNameRequest(va, "a-rather-long-altname")],
  [
    "link property del dev va altname a-rather-long-altname",
    removeAltNameRequest(va, "a-rather-long-altname"),
  ],
  ["link del dev vb", deleteLinkRequest(3)],
  [
    "link set dev va vf 3 mac 02:00:00:00:03:01",
    setVfRequest(va, 3, { set: "mac", mac: "02:00:00:00:03:01" }),
  ],
  [
    "link set dev va vf 3 vlan 100 qos 5",
    setVfRequest(va, 3, { set: "vlan", vlan: 100, qos: 5, vlanProto: "802.1q" }),
  ],
  [
    "link set dev va vf 3 vlan 100 qos 0 proto 802.1ad",
    setVfRequest(va, 3, { set: "vlan", vlan: 100, qos: 0, vlanProto: "802.1ad" }),
  ],
  [
    "link set dev va vf 3 max_tx_rate 1000 min_tx_rate 200",
    setVfRequest(va, 3, { set: "rate", minTxRateMbps: 200, maxTxRateMbps: 1000 }),
  ],
  ["link set dev va vf 3 spoofchk on", setVfRequest(va, 3, { set: "spoofchk", value: true })],
  ["link set dev va vf 3 spoofchk off", setVfRequest(va, 3, { set: "spoofchk", value: false })],
  ["link set dev va vf 3 trust on", setVfRequest(va, 3, { set: "trust", value: true })],
  ["link set dev va vf 3 state disable", setVfRequest(va, 3, { set: "linkState", value: "disable" })],
  ["link set dev va vf 3 state auto", setVfRequest(va, 3, { set: "linkState", value: "auto" })],
  ["address add 10.9.0.2/24 dev va", addAddressRequest(va, ipv4)],
  ["address del 10.9.0.2/24 dev va", removeAddressRequest(va, ipv4)],
  ["address add 2001:db8:9::2/64 dev va", addAddressRequest(va, ipv6)],
  ["address del 2001:db8:9::2/64 dev va", removeAddressRequest(va, ipv6)],
  ["route add 10.20.0.0/16 via 10.9.0.1 dev va proto static", addRouteRequest(viaGateway)],
  ["route del 10.20.0.0/16 via 10.9.0.1 dev va", removeRouteRequest(viaGateway)],
  [
    "route add default via 10.99.0.1 dev va onlink metric 50 proto static",
    addRouteRequest({
      family: 4,
      destination: "0.0.0.0/0",
      gateway: "10.99.0.1",
      index: va,
      isOnlink: true,
      metric: 50,
    }),
  ],
  [
    "route add 10.30.0.0/16 dev va table 1000 proto static mtu 1300 advmss 1200",
    addRouteRequest({
      family: 4,
      destination: "10.30.0.0/16",
      gateway: undefined,
      index: va,
      table: 1000,
      mtu: 1300,
      advmss: 1200,
    }),
  ],
  [
    "route add 10.31.0.0/16 via inet6 2001:db8:9::1 dev va proto static",
    addRouteRequest({ family: 4, destination: "10.31.0.0/16", gateway: "2001:db8:9::1", index: va }),
  ],
  [
    "route add 2001:db8:20::/48 via 2001:db8:9::1 dev va metric 10 table 100 proto static",
    addRouteRequest({
      family: 6,
      destination: "2001:db8:20::/48",
      gateway: "2001:db8:9::1",
      index: va,
      metric: 10,
      table: 100,
    }),
  ],
];

/** Of the whole message only the sequence number may differ: every change asks for an acknowledgement. */
function toHex(request: NetlinkRequest): string {
  return Buffer.from(encodeMessage({ ...request, flags: request.flags | NLM_F_ACK }, 0)).toString("hex");
}

function withoutSequence(hex: string): string {
  return `${hex.slice(0, 16)}00000000${hex.slice(24)}`;
}

describe("requests", () => {
  it.each(requests)("sends the bytes of `ip %s`", (command, request) => {
    const golden = recorded.find((entry) => entry.command === command);
    expect(toHex(request)).toBe(withoutSequence(golden?.hex ?? ""));
  });

  it("covers every recorded command but the one that gives the link its name back", () => {
    const asked = new Set(requests.map(([command]) => command));
    const left = recorded.map(({ command }) => command).filter((command) => !asked.has(command));
    expect(left).toEqual(["link set dev vrenamed name va", "link set dev vb up"]);
  });
});
