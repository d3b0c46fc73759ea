// Channels, ring sizes, features and coalescing of a network device: the ethtool family of generic netlink.
// Source: Documentation/networking/ethtool-netlink.rst; numbers from include/uapi/linux/ethtool_netlink.h.

import { NetlinkError } from "../errors.ts";
import type { Attribute, Attributes } from "./codec.ts";
import {
  decodeCoalescing,
  decodeFeatures,
  encodeCoalescing,
  encodeWanted,
  type Coalescing,
  type Features,
} from "./ethtool-values.ts";
import { decodeGeneric, findFamily, genericBody, genericRequest } from "./generic.ts";
import type { NetlinkSocket } from "./socket.ts";
import { decodeU32, encodeU32 } from "./values.ts";

/** What a device has of one kind, and how much it can have. */
export interface Sized {
  readonly value: number;
  readonly max: number;
}

/** Queues with an interrupt of their own; a kind that the driver does not have is absent. */
export interface Channels {
  readonly rx?: Sized;
  readonly tx?: Sized;
  readonly combined?: Sized;
}

/** Descriptors of each receive and transmit ring. */
export interface Rings {
  readonly rx?: Sized;
  readonly tx?: Sized;
}

type Values<Kinds> = { readonly [Kind in keyof Kinds]?: number };

/** Of one network namespace. What a driver does not have reads as `undefined`, and setting it is a NetlinkError EOPNOTSUPP. */
export interface Ethtool extends Disposable {
  getChannels(index: number): Channels | undefined;
  setChannels(index: number, values: Values<Channels>): void;
  getRings(index: number): Rings | undefined;
  setRings(index: number, values: Values<Rings>): void;
  getFeatures(index: number): Features | undefined;
  /** Of those that can be changed. */
  setFeatures(index: number, wanted: readonly number[]): void;
  getCoalescing(index: number): Coalescing | undefined;
  setCoalescing(index: number, values: Coalescing): void;
}

const NLA_F_NESTED = 0x8000;
const ETHTOOL_A_HEADER = 1;
const ETHTOOL_A_HEADER_DEV_INDEX = 1;
const ETHTOOL_A_HEADER_FLAGS = 3;
const ETHTOOL_FLAG_COMPACT_BITSETS = 1;
const features = { name: "features", get: 11, set: 12 } as const;
const coalescing = { name: "coalescing", get: 19, set: 20 } as const;
const channels = {
  name: "channels",
  get: 17,
  set: 18,
  kinds: { rx: { max: 2, value: 6 }, tx: { max: 3, value: 7 }, combined: { max: 5, value: 9 } },
} as const;
const rings = {
  name: "rings",
  get: 15,
  set: 16,
  kinds: { rx: { max: 2, value: 6 }, tx: { max: 5, value: 9 } },
} as const;

type Topic = typeof channels | typeof rings;

/** `socket` is a generic netlink socket of the namespace, owned from here on. */
export function createEthtool(socket: NetlinkSocket): Ethtool {
  let family: number | undefined;
  const familyId = (): number => (family ??= findFamily(socket, "ethtool"));
  function get(topic: Topic, index: number): Channels & Rings {
    const request = genericRequest(familyId(), topic.get, [headerOf(index)]);
    const answer = decodeGeneric(socket.get(`get ${topic.name} of link ${index}`, request));
    const found = Object.entries(topic.kinds).map(([kind, at]) => [kind, decodeSized(answer, at)] as const);
    return Object.fromEntries(found.filter(([, sized]) => sized !== undefined));
  }
  function set(topic: Topic, index: number, values: Values<Channels & Rings>): void {
    const numbers = Object.entries(topic.kinds).flatMap(([kind, at]): readonly Attribute[] => {
      const value = values[kind as keyof typeof values];
      return value === undefined ? [] : [{ type: at.value, value: encodeU32(value) }];
    });
    const wanted = Object.entries(values).map(([kind, value]) => `${kind} ${value}`);
    const doing = `set ${topic.name} of link ${index} to ${wanted.join(", ")}`;
    socket.change(doing, genericRequest(familyId(), topic.set, [headerOf(index), ...numbers]));
  }
  function ask(
    { name, get: command }: Topic | typeof features | typeof coalescing,
    index: number,
  ): Uint8Array {
    const request = genericRequest(familyId(), command, [headerOf(index, ETHTOOL_FLAG_COMPACT_BITSETS)]);
    return genericBody(socket.get(`get ${name} of link ${index}`, request));
  }
  const readFeatures = (index: number): Features => decodeFeatures(ask(features, index));
  return {
    getChannels: (index) => unlessUnsupported(() => get(channels, index)),
    setChannels: (index, values) => set(channels, index, values),
    getRings: (index) => unlessUnsupported(() => get(rings, index)),
    setRings: (index, values) => set(rings, index, values),
    getFeatures: (index) => unlessUnsupported(() => readFeatures(index)),
    setFeatures: (index, wanted) => {
      const now = readFeatures(index);
      const mask = now.changeable.map(
        (word, at) => (word & ((now.wanted[at] ?? 0) ^ (wanted[at] ?? 0))) >>> 0,
      );
      const asked = [headerOf(index), encodeWanted(wanted, mask)];
      socket.change(`set features of link ${index}`, genericRequest(familyId(), features.set, asked));
    },
    getCoalescing: (index) => unlessUnsupported(() => decodeCoalescing(ask(coalescing, index))),
    setCoalescing: (index, values) => {
      const asked = [headerOf(index), ...encodeCoalescing(values)];
      socket.change(`set coalescing of link ${index}`, genericRequest(familyId(), coalescing.set, asked));
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

function headerOf(index: number, flags = 0): Attribute {
  const value = [{ type: ETHTOOL_A_HEADER_DEV_INDEX, value: encodeU32(index) }];
  if (flags !== 0) value.push({ type: ETHTOOL_A_HEADER_FLAGS, value: encodeU32(flags) });
  return { type: ETHTOOL_A_HEADER | NLA_F_NESTED, value };
}

// A driver that has none of a kind says nothing of it, or a maximum of 0.
function decodeSized(
  answer: Attributes,
  at: { readonly max: number; readonly value: number },
): Sized | undefined {
  const [max, value] = [answer.get(at.max), answer.get(at.value)];
  if (max === undefined || value === undefined || decodeU32(max) === 0) return undefined;
  return { value: decodeU32(value), max: decodeU32(max) };
}

function unlessUnsupported<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === "EOPNOTSUPP") return undefined;
    throw error;
  }
}
