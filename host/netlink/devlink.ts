// Versions of what a device runs: the devlink family of generic netlink, of this process's network namespace.
// Source: Documentation/networking/devlink/devlink-info.rst; numbers from include/uapi/linux/devlink.h.

import { NetlinkError } from "../errors.ts";
import { decodeAttributes, findAttribute } from "./codec.ts";
import { findFamily, genericBody, genericRequest } from "./generic.ts";
import type { NetlinkSocket } from "./socket.ts";
import { decodeString, encodeString } from "./values.ts";

/** What the kernel tells of devices by their drivers. */
export interface Devlink extends Disposable {
  /** By name ("fw.app.name") what the PCI device at `address` runs; empty where its driver tells nothing. Needs no privilege. */
  getRunningVersions(address: string): ReadonlyMap<string, string>;
}

const DEVLINK_CMD_INFO_GET = 51;
const DEVLINK_ATTR_BUS_NAME = 1;
const DEVLINK_ATTR_DEV_NAME = 2;
const DEVLINK_ATTR_INFO_VERSION_RUNNING = 101;
const DEVLINK_ATTR_INFO_VERSION_NAME = 103;
const DEVLINK_ATTR_INFO_VERSION_VALUE = 104;

/** No such device, a driver without devlink or without versions, and a kernel without the family. */
const nothingTold: ReadonlySet<string> = new Set(["ENODEV", "EOPNOTSUPP", "ENOENT"]);

/** `socket` is a generic netlink socket, owned from here on. */
export function createDevlink(socket: Pick<NetlinkSocket, "get" | typeof Symbol.dispose>): Devlink {
  let family: number | undefined;
  return {
    getRunningVersions: (address) => {
      try {
        family ??= findFamily(socket, "devlink");
        const request = genericRequest(family, DEVLINK_CMD_INFO_GET, [
          { type: DEVLINK_ATTR_BUS_NAME, value: encodeString("pci") },
          { type: DEVLINK_ATTR_DEV_NAME, value: encodeString(address) },
        ]);
        return decodeVersions(socket.get(`get the versions of ${address}`, request));
      } catch (error) {
        if (error instanceof NetlinkError && nothingTold.has(error.errno)) return new Map();
        throw error;
      }
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

// One attribute for each version.
function decodeVersions(answer: Uint8Array): ReadonlyMap<string, string> {
  const running = decodeAttributes(genericBody(answer)).filter(
    ({ type }) => type === DEVLINK_ATTR_INFO_VERSION_RUNNING,
  );
  const versions = running.flatMap(({ value }) => {
    const [name, text] = [DEVLINK_ATTR_INFO_VERSION_NAME, DEVLINK_ATTR_INFO_VERSION_VALUE].map((type) =>
      findAttribute(value, type),
    );
    if (name === undefined || text === undefined) return [];
    return [[decodeString(name), decodeString(text)] as const];
  });
  return new Map(versions);
}
