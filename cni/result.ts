// CNI results: what a plugin before us returned, and ours, written as the request's version has it.

import * as v from "valibot";

import type { CniVersion } from "./spoken-versions.ts";

export interface CniInterface {
  readonly name: string;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** The namespace's path; absent for interfaces of the host. */
  readonly sandbox?: string | undefined;
  readonly pciID?: string | undefined;
}

export interface CniIp {
  readonly address: string;
  readonly gateway?: string | undefined;
  /** Index into `interfaces`. */
  readonly interface?: number | undefined;
}

/** A result as spec 1.0.0 has it; members that this release does not know are kept, at the top in `others`. Source: CNI spec, "ADD Success". */
export interface CniResult {
  readonly interfaces: readonly CniInterface[];
  readonly ips: readonly CniIp[];
  readonly routes: readonly object[];
  /** `undefined`: none, or one in which nothing is told. */
  readonly dns: object | undefined;
  readonly others: Readonly<Record<string, unknown>>;
}

const text = v.string("a text");
const number = v.number("a number");
const resultObject = v.looseObject(
  {
    interfaces: v.nullish(
      v.array(
        v.looseObject(
          {
            name: text,
            mac: v.optional(text),
            mtu: v.optional(number),
            sandbox: v.optional(text),
            pciID: v.optional(text),
          },
          "an interface",
        ),
        "a list of interfaces",
      ),
    ),
    ips: v.nullish(
      v.array(
        v.looseObject(
          { address: text, gateway: v.optional(text), interface: v.optional(number) },
          "an address",
        ),
        "a list of addresses",
      ),
    ),
    routes: v.nullish(v.array(v.looseObject({}, "a route"), "a list of routes")),
    dns: v.nullish(v.looseObject({}, "an object")),
  },
  "the result of the plugin before",
);

/** Schema of `prevResult`. Go writes an empty list as null. */
export const resultSchema = v.pipe(
  resultObject,
  v.transform(({ cniVersion: _cniVersion, interfaces, ips, routes, dns, ...others }): CniResult => ({
    interfaces: interfaces ?? [],
    ips: ips ?? [],
    routes: routes ?? [],
    dns: pickDns([dns]),
    others,
  })),
);

export const emptyResult: CniResult = { interfaces: [], ips: [], routes: [], dns: undefined, others: {} };

/** The first that tells something: Go writes an empty one as {}. */
export function pickDns(all: readonly (object | null | undefined)[]): object | undefined {
  return all.find((dns) => Object.values(dns ?? {}).some(isTold)) ?? undefined;
}

function isTold(value: unknown): boolean {
  return value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);
}

/** `before` with more interfaces; the indexes of `ips` are relative to `interfaces` and shifted here. Its own `dns` comes first. */
export function extendResult(before: CniResult, added: Omit<CniResult, "others">): CniResult {
  const offset = before.interfaces.length;
  const ips = added.ips.map((ip) =>
    ip.interface === undefined
      ? ip
      : { address: ip.address, gateway: ip.gateway, interface: ip.interface + offset },
  );
  return {
    interfaces: [...before.interfaces, ...added.interfaces],
    ips: [...before.ips, ...ips],
    routes: [...before.routes, ...added.routes],
    dns: before.dns ?? added.dns,
    others: before.others,
  };
}

/**
 * JSON of the result. Versions before 1.0.0 want the IP version beside each address and know of a route only its destination and
 * gateway, of an interface neither `mtu` nor `pciID`. 1.0.0 gets what came with 1.1.0 too, as from libcni's own types.
 */
export function formatResult(result: CniResult, cniVersion: CniVersion): string {
  const isOld = cniVersion === "0.3.1" || cniVersion === "0.4.0";
  const ips = isOld ? result.ips.map((ip) => toOldIp(ip)) : result.ips;
  const interfaces = isOld ? result.interfaces.map((nic) => toOldInterface(nic)) : result.interfaces;
  const routes = isOld ? result.routes.map((route) => toOldRoute(route)) : result.routes;
  const { dns, others } = result;
  return JSON.stringify({ ...others, cniVersion, interfaces, ips, routes, dns: dns ?? {} });
}

function toOldIp(ip: CniIp): object {
  return { version: ip.address.includes(":") ? "6" : "4", ...ip };
}

function toOldInterface({ name, mac, sandbox }: CniInterface): object {
  return { name, mac, sandbox };
}

function toOldRoute(route: { readonly dst?: unknown; readonly gw?: unknown }): object {
  return { dst: route.dst, gw: route.gw };
}
