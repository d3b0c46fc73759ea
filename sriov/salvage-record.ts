// What can still be told of a record that this release cannot read: another format, or a file that was cut off.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { attachmentParts } from "./attachment-format.ts";
import { attachmentPath } from "./attachment-store.ts";
import type { Attachment } from "./attachment.ts";
import type { PciAddress } from "./pci-address.ts";

/** The parts that have the form this release knows; the others are undefined. */
export type Salvaged = {
  readonly [Key in "owner" | "device" | "bootId" | "interface" | "ipam" | "deviceInfoFile"]:
    | Attachment[Key]
    | undefined;
};

/** The parts of the VF's record, one by one. Never throws for what is in the file. */
export function salvageRecord(host: Pick<Host, "files" | "paths">, address: PciAddress): Salvaged {
  const record = parseObject(host.files.readText(attachmentPath(host, address)) ?? "");
  return {
    owner: pick(attachmentParts.owner, record["owner"]),
    device: pick(attachmentParts.device, record["device"]),
    bootId: pick(attachmentParts.bootId, record["bootId"]),
    interface: pick(attachmentParts.interface, record["interface"]),
    ipam: pick(attachmentParts.ipam, record["ipam"]),
    deviceInfoFile: pick(attachmentParts.deviceInfoFile, record["deviceInfoFile"]),
  };
}

function pick<const Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(schema, value);
  return result.success ? result.output : undefined;
}

function parseObject(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
