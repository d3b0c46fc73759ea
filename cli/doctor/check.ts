// What a check is: the facts that it goes by, and what it finds in them.

import type { DoctorFacts, DoctorReadings } from "./facts.ts";

/** `unknown`: what the check goes by could not be read; it says nothing of the node. */
export type Severity = "ok" | "warn" | "error" | "unknown";

export interface Finding {
  readonly severity: Severity;
  readonly seen: string;
  readonly expected: string | undefined;
  /** A command or a setting; `undefined` where nothing is to be done. */
  readonly fix: string | undefined;
}

/** `find` tells nothing where all is well: then `ok` says what was looked at. Both are functions of the facts in `needs` alone. */
interface CheckDefinition<Needs extends keyof DoctorFacts> {
  readonly name: string;
  readonly needs: readonly Needs[];
  readonly find: (facts: Pick<DoctorFacts, Needs>) => readonly Finding[];
  readonly ok: (facts: Pick<DoctorFacts, Needs>) => string;
}

export interface Check {
  readonly name: string;
  /** At least one finding. */
  readonly run: (readings: DoctorReadings) => readonly Finding[];
}

/** The check that says `unknown`, with each reason, where one of the facts that it needs is not known. */
export function makeCheck<Needs extends keyof DoctorFacts>(definition: CheckDefinition<Needs>): Check {
  const { name, needs, find, ok } = definition;
  return {
    name,
    run: (readings) => {
      const reasons = needs.flatMap((need) => {
        const reading = readings[need];
        return "unknown" in reading ? [reading.unknown] : [];
      });
      if (reasons.length > 0) return [...new Set(reasons)].map((reason) => unknown(reason));
      const entries = needs.map((need) => {
        const reading = readings[need];
        return [need, "value" in reading ? reading.value : undefined] as const;
      });
      const facts = Object.fromEntries(entries) as Pick<DoctorFacts, Needs>;
      const found = find(facts);
      return found.length > 0
        ? found
        : [{ severity: "ok", seen: ok(facts), expected: undefined, fix: undefined }];
    },
  };
}

/** Not to be told, with the reason. */
export function unknown(seen: string, fix?: string): Finding {
  return { severity: "unknown", seen, expected: undefined, fix };
}

/** Works for now, or is wrong only where it is not meant so. */
export function warn(seen: string, { expected, fix }: Pick<Finding, "expected" | "fix">): Finding {
  return { severity: "warn", seen, expected, fix };
}

/** A pod does not get what it was promised, or will not. */
export function fail(seen: string, { expected, fix }: Pick<Finding, "expected" | "fix">): Finding {
  return { severity: "error", seen, expected, fix };
}

/** "3 VFs", "1 VF". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** "a, b, c and 4 more": a list that a person reads. */
export function listSome(items: readonly string[], most = 6): string {
  const rest = items.length - most;
  return rest > 0 ? `${items.slice(0, most).join(", ")} and ${rest} more` : items.join(", ");
}
