// What the passes of one process remember, each of its own kind.

import { Refusals } from "./refusals.ts";
import { UndonePins } from "./undone-pins.ts";

export interface PassMemory {
  readonly refusals: Refusals;
  readonly undone: UndonePins;
}

/** The memory of a process that starts. */
export function createPassMemory(): PassMemory {
  return { refusals: new Refusals(), undone: new UndonePins() };
}
