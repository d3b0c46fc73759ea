// The keys of one network and what may be in each: sriov-cni's, with their meaning, and ours. A schema's message says what is expected.

import * as v from "valibot";

import { parseCidr, parseIp } from "./cidr.ts";
import { parseUnicastMac } from "./mac-address.ts";

const onOff = v.optional(v.picklist(["on", "off"], '"on" or "off"'));
const flag = v.optional(v.boolean("true or false"));
const cidrText = "an address with its prefix length, like 192.0.2.5/24";
const cidr = v.pipe(v.string(cidrText), v.check(isCidr, cidrText));
const ip = v.pipe(v.string("an IP address"), v.check(isIp, "an IP address"));
const macText = "a unicast MAC address like 0a:1b:2c:3d:4e:5f";
const protoText = '"802.1q" or "802.1ad"';
const delegateText = "a plugin's name without /";
const ringSize = v.optional(integer(1, 65_535));
const most32 = 4_294_967_295;

/** Interrupt policies that a network may ask tuning for. */
export const networkPolicies = [
  "numa-spread",
  "housekeeping",
  "follow-pod",
  "pod-sibling",
  "pod-first-core",
  "dedicated",
  "explicit",
  "none",
] as const;

export type NetworkPolicy = (typeof networkPolicies)[number];

/** A route as CNI results write it; `metric` is another word for `priority`. Source: CNI spec 1.1.0, "ADD Success". */
const routeEntries = {
  dst: cidr,
  gw: v.optional(ip),
  mtu: v.optional(integer(68, 65_535)),
  advmss: v.optional(integer(1, 65_535)),
  priority: v.optional(integer(0, most32)),
  metric: v.optional(integer(0, most32)),
  table: v.optional(integer(1, most32)),
  scope: v.optional(
    v.picklist([0, 200, 253, 254, 255], "0 (global), 200 (site), 253 (link), 254 (host) or 255 (nowhere)"),
  ),
} as const;

/** The schema of each key. */
export const networkEntries = {
  mac: v.optional(v.pipe(v.string(macText), v.check(isUnicastMac, macText))),
  mtu: v.optional(integer(68, 65_535)),
  vlan: v.optional(integer(0, 4094)),
  vlanQoS: v.optional(integer(0, 7)),
  vlanProto: v.optional(
    v.pipe(v.string(protoText), v.toLowerCase(), v.picklist(["802.1q", "802.1ad"], protoText)),
  ),
  spoofchk: onOff,
  trust: onOff,
  link_state: v.optional(v.picklist(["auto", "enable", "disable"], '"auto", "enable" or "disable"')),
  min_tx_rate: v.optional(integer(0, most32)),
  max_tx_rate: v.optional(integer(0, most32)),
  ips: v.optional(v.array(cidr, "a list of addresses like 192.0.2.5/24")),
  gateway: v.optional(ip),
  routes: v.optional(
    v.array(
      v.strictObject(routeEntries, 'an object like {"dst": "198.51.100.0/24", "gw": "192.0.2.1"}'),
      "a list of routes",
    ),
  ),
  ipam: v.optional(
    v.looseObject(
      { type: v.optional(v.pipe(v.string(delegateText), v.regex(/^(?!\.{1,2}$)[^/\0]*$/, delegateText))) },
      'an object like {"type": "host-local", ...}',
    ),
  ),
  announce: flag,
  requireCarrierMs: v.optional(integer(1, 120_000)),
  queues: v.optional(integer(1, 65_535)),
  rings: v.optional(
    v.strictObject({ rx: ringSize, tx: ringSize }, 'an object like {"rx": 1024, "tx": 1024}'),
  ),
  tuning: v.optional(v.picklist(networkPolicies, `one of ${networkPolicies.join(", ")}`)),
  rfs: flag,
  threadedNapi: flag,
  channelPerCpu: flag,
  resetBetweenPods: flag,
  driver: v.optional(v.picklist(["vfio-pci"], '"vfio-pci"')),
} as const;

function integer(least: number, most: number): v.GenericSchema<number> {
  const text = `an integer from ${least} to ${most}`;
  return v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(most, text));
}

function isCidr(text: string): boolean {
  return parseCidr(text) !== undefined;
}

function isIp(text: string): boolean {
  return parseIp(text) !== undefined;
}

function isUnicastMac(text: string): boolean {
  try {
    return parseUnicastMac(text) !== "";
  } catch {
    return false;
  }
}
