// Offload features and interrupt coalescing of a device, as the ethtool family has them: read whole, and put back as they were read.
// Source: Documentation/networking/ethtool-netlink.rst; numbers from include/uapi/linux/ethtool_netlink.h.

import { decodeAttributes, indexAttributes, type Attribute } from "./codec.ts";
import { decodeU32, encodeU32 } from "./values.ts";

const NLA_F_NESTED = 0x8000;
const ETHTOOL_A_FEATURES_HW = 2;
const ETHTOOL_A_FEATURES_WANTED = 3;
const ETHTOOL_A_BITSET_SIZE = 2;
const ETHTOOL_A_BITSET_VALUE = 4;
const ETHTOOL_A_BITSET_MASK = 5;

/** What is wanted of a device, and what of it can be changed at all: words of 32 bits each, the lowest first. */
export interface Features {
  readonly wanted: readonly number[];
  readonly changeable: readonly number[];
}

/** From an answer's attributes with compact bitsets. */
export function decodeFeatures(body: Uint8Array): Features {
  const answer = indexAttributes(body);
  return {
    wanted: decodeWords(answer.get(ETHTOOL_A_FEATURES_WANTED)),
    changeable: decodeWords(answer.get(ETHTOOL_A_FEATURES_HW)),
  };
}

/** The attribute that makes of the features in `mask` what `wanted` has; all others stay. */
export function encodeWanted(wanted: readonly number[], mask: readonly number[]): Attribute {
  const value = [
    { type: ETHTOOL_A_BITSET_SIZE, value: encodeU32(mask.length * 32) },
    { type: ETHTOOL_A_BITSET_VALUE, value: encodeWords(mask.map((word, at) => (wanted[at] ?? 0) & word)) },
    { type: ETHTOOL_A_BITSET_MASK, value: encodeWords(mask) },
  ];
  return { type: ETHTOOL_A_FEATURES_WANTED | NLA_F_NESTED, value };
}

/** By the number of its attribute, of those that the driver has. */
export type Coalescing = Readonly<Record<string, number>>;

/** The switches (ETHTOOL_A_COALESCE_USE_*) are one byte; behind the last come profiles, which no VF driver has. */
const switches: ReadonlySet<number> = new Set([11, 12, 24, 25]);
const [firstValue, lastValue] = [2, 28];

/** As `ethtool -c` prints them, from `firstValue` on. */
const names = [
  "rx-usecs rx-frames rx-usecs-irq rx-frames-irq tx-usecs tx-frames tx-usecs-irq tx-frames-irq stats-block-usecs",
  "adaptive-rx adaptive-tx pkt-rate-low rx-usecs-low rx-frames-low tx-usecs-low tx-frames-low",
  "pkt-rate-high rx-usecs-high rx-frames-high tx-usecs-high tx-frames-high sample-interval",
  "cqe-mode-tx cqe-mode-rx tx-aggr-max-bytes tx-aggr-max-frames tx-aggr-time-usecs",
].flatMap((line) => line.split(" "));

/** The name of a key of `Coalescing`, for people. */
export function nameCoalescing(key: string): string {
  return names[Number(key) - firstValue] ?? key;
}

export function decodeCoalescing(body: Uint8Array): Coalescing {
  const values = decodeAttributes(body).filter(({ type }) => type >= firstValue && type <= lastValue);
  return Object.fromEntries(
    values.map(({ type, value }) => [type, switches.has(type) ? (value[0] ?? 0) : decodeU32(value)]),
  );
}

export function encodeCoalescing(values: Coalescing): readonly Attribute[] {
  return Object.entries(values).map(([key, value]) => {
    const type = Number(key);
    return { type, value: switches.has(type) ? Uint8Array.of(value) : encodeU32(value) };
  });
}

function decodeWords(bitset: Uint8Array | undefined): readonly number[] {
  const bytes = bitset && indexAttributes(bitset).get(ETHTOOL_A_BITSET_VALUE);
  if (bytes === undefined) return [];
  const words: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) words.push(decodeU32(bytes, at));
  return words;
}

function encodeWords(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  for (const [at, word] of words.entries()) bytes.set(encodeU32(word >>> 0), at * 4);
  return bytes;
}
