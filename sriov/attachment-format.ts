// Attachment records as JSON on disk: read by this release and, within a major, by older and newer ones.

import * as v from "valibot";

import type { Attachment } from "./attachment.ts";
import { RecordCorruptError, RecordFormatError } from "./errors.ts";
import { makeOnce } from "./make-once.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";

/** Format that this release writes, major.minor. Another minor is read and its unknown fields kept. */
export const attachmentFormat = "1.0";

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const decimal = v.pipe(v.string(), v.regex(/^\d{1,20}$/, "expected a decimal number as text"));
const address = v.custom<PciAddress>(
  (value) => typeof value === "string" && isPciAddress(value),
  "expected a PCI address",
);

/** The parts of a record that tell something also where the whole cannot be read. */
export const attachmentParts = makeOnce(() => ({
  owner: v.looseObject({
    containerId: v.pipe(text, v.nonEmpty()),
    attachment: v.pipe(text, v.nonEmpty()),
    network: text,
    netns: text,
    cookie: decimal,
    pod: v.optional(v.looseObject({ namespace: text, name: text, uid: text })),
  }),
  interface: text,
  device: v.looseObject({ address, pf: address, vf: count, inode: decimal, ifindex: v.optional(count) }),
  bootId: text,
  ipam: v.optional(v.looseObject({ type: text, config: text, path: text, interface: text, args: text })),
  deviceInfoFile: v.optional(v.pipe(text, v.regex(/^[^./\0][^/\0]*$/, "expected the name of a file"))),
}));

// In the order in which records are written.
const schema = makeOnce(() => {
  const { owner, interface: interfaceName, device, bootId, ipam, deviceInfoFile } = attachmentParts();
  const vfSide = {
    adminMac: v.optional(text),
    vlan: v.optional(count),
    qos: v.optional(count),
    vlanProto: v.optional(v.picklist(["802.1q", "802.1ad"])),
    spoofchk: v.optional(v.boolean()),
    trust: v.optional(v.boolean()),
    linkState: v.optional(v.picklist(["auto", "enable", "disable"])),
    minTxRateMbps: v.optional(count),
    maxTxRateMbps: v.optional(count),
  };
  return v.looseObject({
    format: text,
    owner,
    interface: interfaceName,
    device,
    bootId,
    state: v.picklist(["adding", "attached", "releasing"]),
    createdAt: text,
    announce: v.picklist(["done", "pending"]),
    pickedBy: v.picklist(["kubelet", "cni"]),
    original: v.looseObject({
      ...vfSide,
      name: v.optional(text),
      mac: v.optional(text),
      mtu: v.optional(count),
      altNames: v.array(text),
      alias: v.optional(text),
      txQueueLength: v.optional(count),
      traits: v.optional(
        v.looseObject({
          hasArp: v.boolean(),
          hasMulticast: v.boolean(),
          broadcast: text,
          linkMode: count,
          group: count,
          gsoMaxSegs: v.optional(count),
          gsoMaxSize: v.optional(count),
          groMaxSize: v.optional(count),
          gsoIpv4MaxSize: v.optional(count),
          groIpv4MaxSize: v.optional(count),
        }),
      ),
      settings: v.optional(
        v.looseObject({
          rings: v.optional(v.record(text, count)),
          features: v.optional(v.array(count)),
          coalescing: v.optional(v.record(text, count)),
        }),
      ),
      napi: v.optional(v.record(text, text)),
      driver: v.optional(text),
      driverOverride: v.optional(text),
      sizes: v.optional(
        v.looseObject({
          channels: v.optional(
            v.looseObject({ rx: v.optional(count), tx: v.optional(count), combined: v.optional(count) }),
          ),
          rings: v.optional(v.looseObject({ rx: v.optional(count), tx: v.optional(count) })),
        }),
      ),
      queues: v.array(
        v.looseObject({
          queue: v.pipe(text, v.regex(/^[rt]x-\d+$/, "expected a queue folder like rx-0")),
          rpsCpus: v.optional(text),
          rpsFlowCnt: v.optional(text),
          xpsCpus: v.optional(text),
          xpsRxqs: v.optional(text),
        }),
      ),
    }),
    applied: v.looseObject({
      ...vfSide,
      mac: v.optional(text),
      mtu: v.optional(count),
      driver: v.optional(text),
      addresses: v.array(text),
      routes: v.array(
        v.looseObject({
          destination: text,
          gateway: v.optional(text),
          metric: v.optional(count),
          table: v.optional(count),
          mtu: v.optional(count),
          advmss: v.optional(count),
        }),
      ),
    }),
    ipam,
    tuning: v.optional(
      v.looseObject({
        policy: v.optional(text),
        rfs: v.optional(v.boolean()),
        threadedNapi: v.optional(v.boolean()),
        channelPerCpu: v.optional(v.boolean()),
      }),
    ),
    resetBetweenPods: v.optional(v.boolean()),
    deviceInfoFile,
  });
});

/**
 * The record in `json`, read from `path`. Throws ERR_RECORD_FORMAT for another major and for another minor that cannot be read, ERR_RECORD_CORRUPT (with every
 * problem) for anything else that is no record.
 */
export function parseAttachment(json: string, path: string): Attachment {
  const value = parseJson(json, path);
  const format = readFormat(value, path);
  const result = v.safeParse(schema(), value);
  if (result.success) return result.output;
  // A newer minor may have values that this release does not know.
  if (format !== attachmentFormat) throw new RecordFormatError(path, attachmentFormat, format);
  throw new RecordCorruptError(path, result.issues.map(describeIssue).join("; "));
}

/** JSON text of a record, with the fields this release does not know. */
export function formatAttachment(record: Attachment): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

function parseJson(json: string, path: string): unknown {
  if (json.trim() === "") throw new RecordCorruptError(path, "the file is empty");
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new RecordCorruptError(path, "it is not JSON", { cause });
  }
}

function readFormat(value: unknown, path: string): string {
  const format = v.safeParse(v.object({ format: text }), value);
  if (!format.success) throw new RecordCorruptError(path, 'it has no field "format"');
  const match = /^(\d+)\.(\d+)$/.exec(format.output.format);
  if (match?.[1] !== "1") throw new RecordFormatError(path, "1.x", format.output.format);
  return format.output.format;
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  return `${v.getDotPath(issue) ?? "record"}: ${issue.message}`;
}
