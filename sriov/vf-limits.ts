// What networks may ask of VFs: limits of the node's administrator (node.yaml) and of a resource, which add up.

import * as v from "valibot";

import { type ConfigEntries, readConfigObject } from "./config-object.ts";
import type { ConfigProblem } from "./config-problems.ts";

/** What networks may ask for; undefined: anything. Both ends of a range are in it. */
export interface VfLimits {
  readonly vlans: readonly VlanRange[] | undefined;
  /** The only values that may be asked for. */
  readonly trust: boolean | undefined;
  readonly spoofchk: boolean | undefined;
}

export interface VlanRange {
  readonly first: number;
  readonly last: number;
}

const vlanText = "VLANs like 100 or 200-299, from 0 to 4094";
const onOff = v.optional(v.picklist(["on", "off"], '"on" or "off"'));

/** The keys of limits; a schema's message says what is expected. */
export const limitEntries = {
  vlans: v.optional(
    v.array(
      v.pipe(
        v.union([v.number(), v.string()], vlanText),
        v.transform(String),
        v.check((text) => parseVlans(text) !== undefined, vlanText),
      ),
      "a list of VLANs and ranges of them",
    ),
  ),
  trust: onOff,
  spoofchk: onOff,
} as const satisfies ConfigEntries;

/** What `limitEntries` read. */
interface GivenLimits {
  readonly vlans: readonly string[] | undefined;
  readonly trust: "on" | "off" | undefined;
  readonly spoofchk: "on" | "off" | undefined;
}

/** An object of limits as a resolved value, with every problem. */
export function parseVfLimits(
  value: unknown,
  path: string,
): { readonly limits: VfLimits; readonly problems: readonly ConfigProblem[] } {
  const { output, problems } = readConfigObject(limitEntries, value, { path });
  return { limits: toVfLimits(output), problems };
}

export function toVfLimits(given: Partial<GivenLimits> | undefined): VfLimits {
  return {
    vlans: given?.vlans?.flatMap((text) => parseVlans(text) ?? []),
    trust: isOn(given?.trust),
    spoofchk: isOn(given?.spoofchk),
  };
}

/** The object that `parseVfLimits` reads as these limits. */
export function formatVfLimits({ vlans, trust, spoofchk }: VfLimits): Partial<GivenLimits> {
  return {
    vlans: vlans?.map(formatVlans),
    trust: trust === undefined ? undefined : formatOnOff(trust),
    spoofchk: spoofchk === undefined ? undefined : formatOnOff(spoofchk),
  };
}

/** What a limit allows, in words: "100, 200-299", "none", "off". */
export function describeLimit(limits: VfLimits, key: keyof VfLimits): string {
  if (key === "vlans") return limits.vlans?.map(formatVlans).join(", ") || "none";
  return formatOnOff(limits[key] === true);
}

export function formatOnOff(value: boolean): "on" | "off" {
  return value ? "on" : "off";
}

function formatVlans({ first, last }: VlanRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

/** The keys for which two limits together allow no value, although each allows some. */
export function findContradictions(one: VfLimits, other: VfLimits): readonly (keyof VfLimits)[] {
  const differs = (key: "trust" | "spoofchk"): boolean =>
    one[key] !== undefined && other[key] !== undefined && one[key] !== other[key];
  return [
    ...(areApart(one.vlans ?? [], other.vlans ?? []) ? (["vlans"] as const) : []),
    ...(["trust", "spoofchk"] as const).filter((key) => differs(key)),
  ];
}

/** An empty list says itself that there shall be none. */
function areApart(ranges: readonly VlanRange[], others: readonly VlanRange[]): boolean {
  if (ranges.length === 0 || others.length === 0) return false;
  return !ranges.some((one) => others.some((other) => one.first <= other.last && other.first <= one.last));
}

function parseVlans(text: string): VlanRange | undefined {
  const [, first = "", last = first] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  return first === "" || range.last > 4094 || range.first > range.last ? undefined : range;
}

function isOn(value: "on" | "off" | undefined): boolean | undefined {
  return value === undefined ? undefined : value === "on";
}
