// Which pins tuning leaves alone for a while because something undoes them again and again, on disk for who looks at the node.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";
import { firstFormat, parseStateFile, readStateFile } from "./state-file.ts";

/** Who undoes a pin, as far as the node tells. */
export const opponents = ["irqbalance", "udev", "driver", "unknown"] as const;

export type Opponent = (typeof opponents)[number];

/** `undone`: how often since it began. The pin is left alone until `restsUntil` (ISO 8601), and is on trial from then on. */
export interface ContestedPin {
  readonly vf: PciAddress;
  readonly msiIndex: number;
  readonly by: Opponent;
  readonly undone: number;
  readonly restSeconds: number;
  readonly restsUntil: string;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const schema = v.object({
  format: firstFormat,
  pins: v.array(
    v.object({
      vf: v.custom<PciAddress>((vf) => typeof vf === "string" && isPciAddress(vf), "expected a PCI address"),
      msiIndex: count,
      by: v.fallback(v.picklist(opponents), "unknown"),
      undone: count,
      restSeconds: count,
      restsUntil: v.pipe(v.string(), v.isoTimestamp()),
    }),
  ),
});

type Store = Pick<Host, "files" | "paths">;

/** What the daemon wrote last in this boot; none where none ran or nothing is contested. Throws ERR_RECORD_CORRUPT. */
export function readContestedPins(host: Store): readonly ContestedPin[] {
  return readStateFile(host, host.paths.contestedPins, schema)?.pins ?? [];
}

/** Replaces the file; without pins it is removed. Written by the daemon alone. */
export function writeContestedPins(host: Store, pins: readonly ContestedPin[]): void {
  const path = host.paths.contestedPins;
  if (pins.length === 0) host.files.remove(path);
  else host.files.writeAtomic(path, formatContestedPins(pins));
}

/** One line for people. */
export function formatContestedPin({ vf, msiIndex, by, undone, restsUntil }: ContestedPin): string {
  const who = by === "unknown" ? "it is not known by whom" : `maybe by ${by}`;
  return `${vf} vector ${msiIndex}: CONTESTED, its pin was undone ${undone} times, ${who}; it rests until ${restsUntil}`;
}

/** JSON text to what it says; `path` is for messages. Throws ERR_RECORD_CORRUPT. */
export function parseContestedPins(text: string, path: string): readonly ContestedPin[] {
  return parseStateFile(text, path, schema).pins;
}

/** Pins to JSON text, format 1.0. */
export function formatContestedPins(pins: readonly ContestedPin[]): string {
  return `${JSON.stringify({ format: "1.0", pins }, undefined, 1)}\n`;
}
