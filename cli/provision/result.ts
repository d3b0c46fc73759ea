// What `virtfn provision` reports.

import { HostError } from "../../host/errors.ts";
import { SriovError } from "../../sriov/errors.ts";

/** One line of the report; `isAsked`: all is as the configuration asks, or would be. */
export interface Result {
  readonly text: string;
  readonly isAsked: boolean;
}

export function failed(text: string): Result {
  return { text, isAsked: false };
}

/** The message of an error of ours with its code; anything else is a defect and thrown on. */
export function describeKnown(error: unknown): string {
  if (error instanceof HostError || error instanceof SriovError) return `${error.code}: ${error.message}`;
  throw error;
}
