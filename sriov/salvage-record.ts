// What can still be told of a record that this release cannot read: another format, or a file that was cut off.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { attachmentParts, parseAttachment } from "./attachment-format.ts";
import { attachmentPath } from "./attachment-store.ts";
import { ownerToken, type Attachment } from "./attachment.ts";
import type { DriverState } from "./driver.ts";
import type { PciAddress } from "./pci-address.ts";
import { SriovError } from "./errors.ts";
import { makeOnce } from "./make-once.ts";
import { userspaceCopyPath } from "./userspace-copy.ts";

/** The parts that have the form this release knows; the others are undefined. */
export type Salvaged = {
  readonly [Key in "owner" | "device" | "bootId" | "interface" | "ipam" | "deviceInfoFile"]:
    | Attachment[Key]
    | undefined;
} & {
  /** The driver that ADD took the VF from. */
  readonly driver: DriverState | undefined;
  /** The second copy, where that is a whole record of this format. */
  readonly copy: Attachment | undefined;
};

type Parts = Readonly<Record<string, unknown>>;

/**
 * The parts of the VF's record, one by one; what it does not tell comes from its second copy, unless that is another owner's.
 * Also of a record that is lost. Never throws for what is in the files.
 */
export function salvageRecord(host: Pick<Host, "files" | "paths">, address: PciAddress): Salvaged {
  const record = readParts(parseObject(host.files.readText(attachmentPath(host, address))));
  const copyText = host.files.readText(userspaceCopyPath(host, address));
  const copy = readParts(parseObject(copyText));
  const isOthers =
    record.owner !== undefined &&
    copy.owner !== undefined &&
    ownerToken(record.owner) !== ownerToken(copy.owner);
  if (isOthers) return { ...record, copy: undefined };
  return {
    owner: record.owner ?? copy.owner,
    device: record.device ?? copy.device,
    bootId: record.bootId ?? copy.bootId,
    interface: record.interface ?? copy.interface,
    ipam: record.ipam ?? copy.ipam,
    deviceInfoFile: record.deviceInfoFile ?? copy.deviceInfoFile,
    driver: record.driver ?? copy.driver,
    copy: copyText === undefined ? undefined : parseCopy(host, address, copyText),
  };
}

const original = makeOnce(() =>
  v.looseObject({ driver: v.string(), driverOverride: v.optional(v.string(), "") }),
);

function parseCopy(host: Pick<Host, "paths">, address: PciAddress, json: string): Attachment | undefined {
  try {
    return parseAttachment(json, userspaceCopyPath(host, address));
  } catch (error) {
    if (!(error instanceof SriovError)) throw error;
    return undefined;
  }
}

function readParts(record: Parts): Omit<Salvaged, "copy"> {
  const parts = attachmentParts();
  const before = pick(original(), record["original"]);
  return {
    owner: pick(parts.owner, record["owner"]),
    device: pick(parts.device, record["device"]),
    bootId: pick(parts.bootId, record["bootId"]),
    interface: pick(parts.interface, record["interface"]),
    ipam: pick(parts.ipam, record["ipam"]),
    deviceInfoFile: pick(parts.deviceInfoFile, record["deviceInfoFile"]),
    driver: before && { driver: before.driver, override: before.driverOverride },
  };
}

function pick<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : undefined;
}

function parseObject(json = ""): Parts {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Parts) : {};
  } catch {
    return {};
  }
}
