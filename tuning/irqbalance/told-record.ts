// What irqbalance was told, on disk: so that it is told again after its restart, and what was the administrator's stays so.

import * as v from "valibot";

import type { Host } from "../../host/host.ts";
import { firstFormat } from "../../sriov/state-file.ts";

/** One process of irqbalance, of one boot. */
export interface Told {
  readonly bootId: string;
  readonly pid: number;
  readonly startTicks: string;
  /** IRQs that are in its list because of us, ascending. */
  readonly irqs: readonly number[];
  /** IRQs that our entry knew when it looked at its policy scripts last, ascending. */
  readonly covered: readonly number[];
}

/** `folders`: where our entry was put, as the host names them. */
export interface ToldRecord {
  readonly told: Told | undefined;
  readonly folders: readonly string[];
}

const irqs = v.array(v.pipe(v.number(), v.integer(), v.minValue(0)));
const schema = v.object({
  format: firstFormat,
  told: v.optional(
    v.object({
      bootId: v.string(),
      pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
      startTicks: v.string(),
      irqs,
      covered: irqs,
    }),
  ),
  folders: v.array(v.string()),
});

type Store = Pick<Host, "files" | "paths">;

/** What was written last; nothing without a file, or with one that a power cut left. */
export function readTold(host: Store): ToldRecord {
  const text = host.files.readText(host.paths.toldIrqBalance);
  return (text === undefined ? undefined : parseTold(text)) ?? { told: undefined, folders: [] };
}

/** Replaces the file; it is removed when there is nothing to keep. */
export function writeTold(host: Store, record: ToldRecord): void {
  const path = host.paths.toldIrqBalance;
  const isEmpty = record.told === undefined && record.folders.length === 0;
  if (isEmpty) host.files.remove(path);
  else host.files.writeAtomic(path, formatTold(record));
}

/** JSON text to what it says; `undefined` for anything else. */
export function parseTold(text: string): ToldRecord | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(schema, json);
  return parsed.success ? { told: parsed.output.told, folders: parsed.output.folders } : undefined;
}

/** To JSON text, format 1.0. */
export function formatTold({ told, folders }: ToldRecord): string {
  return `${JSON.stringify({ format: "1.0", told, folders }, undefined, 1)}\n`;
}
