// A fact of the node, or why it is not known: what could not be read is never taken for nothing.

import { HostError } from "../../host/errors.ts";
import { SriovError } from "../../sriov/errors.ts";

export type Reading<T> = { readonly value: T } | { readonly unknown: string };

/** What `read` gives; an error of ours is a fact that is not known, anything else is a defect and thrown on. */
export function readFact<T>(read: () => T): Reading<T> {
  try {
    return { value: read() };
  } catch (error) {
    return { unknown: describeKnown(error) };
  }
}

/** As `readFact`, from a fact that is known or not. */
export function deriveFact<S, T>(source: Reading<S>, read: (value: S) => T): Reading<T> {
  return "unknown" in source ? source : readFact(() => read(source.value));
}

/** As `readFact`, for what takes time. */
export async function awaitFact<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    return { unknown: describeKnown(error) };
  }
}

/** The message of an error of ours. Throws anything else. */
function describeKnown(error: unknown): string {
  if (error instanceof HostError || error instanceof SriovError) return error.message;
  throw error;
}
