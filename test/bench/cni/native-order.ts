// What the process inside the bench's node is told, and what it answers.

import type { Spread } from "./figures.ts";

export interface NativeOrder {
  readonly contenders: readonly Contender[];
  readonly concurrency: number;
  /** ADDs of each contender, at least. */
  readonly calls: number;
  /** Namespaces of the pods; pod n gets the nth VF. */
  readonly pods: readonly string[];
}

/** A program and how it is called for the nth VF. */
export interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  /** A CNI plugin has a configuration, of which DEVICE and LINK become the nth VF's address and name; the floor has none. */
  readonly config: string | undefined;
  /** The error that its ADD ends with, of one that is to fail. */
  readonly failure?: string;
  /** What the names of its links start with; the number follows. */
  readonly links: string;
}

export interface NativeFigures {
  readonly contender: string;
  readonly concurrency: number;
  readonly failure: string | undefined;
  readonly addMs: Spread;
  readonly delMs: Spread;
  /** What the program itself says of an ADD: without its start. */
  readonly insideMs: Spread | undefined;
  /** Medians of the steps that an ADD names in its log, in ms. */
  readonly steps: Readonly<Record<string, number>>;
  readonly addsPerSecond: number;
  readonly peakRssMb: number;
}
