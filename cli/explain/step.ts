// What explain tells: steps on the way of a VF into a pod, up to the one where it stopped.

/** `unknown`: what tells of the step could not be read. */
export type StepState = "ok" | "stopped" | "unknown";

export interface Step {
  /** "kubelet", "record", ... */
  readonly name: string;
  readonly state: StepState;
  readonly text: string;
  /** Where to look, or what to do. */
  readonly hints: readonly string[];
}

/** The way of one VF. */
export interface VfWay {
  readonly address: string;
  readonly steps: readonly Step[];
}

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

export interface Explanation {
  readonly pod: PodName;
  /** What goes before any VF. */
  readonly steps: readonly Step[];
  readonly vfs: readonly VfWay[];
}

export function done(name: string, text: string): Step {
  return { name, state: "ok", text, hints: [] };
}

export function stopped(name: string, text: string, ...hints: readonly string[]): Step {
  return { name, state: "stopped", text, hints };
}

export function untold(name: string, text: string, ...hints: readonly string[]): Step {
  return { name, state: "unknown", text, hints };
}

/** The steps up to the first that stopped; each is asked for only when the way goes on. */
export function walk(steps: readonly (() => Step | undefined)[]): readonly Step[] {
  const taken: Step[] = [];
  for (const step of steps) {
    const one = step();
    if (one !== undefined) taken.push(one);
    if (one?.state === "stopped") break;
  }
  return taken;
}
