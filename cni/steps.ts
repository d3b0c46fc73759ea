// Names and times the steps of a call: an error says in which step it happened, a log line how long each took.

import type { Host } from "../host/host.ts";
import { StepError } from "./errors.ts";

export interface Steps {
  /** Runs one step; what it throws becomes a StepError with its name. */
  run<Result>(name: string, work: () => Result): Result;
  /** As `run`, for a step that waits. */
  wait<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** "move 15.2 ms, addresses 0.4 ms": each step once, in the order of their first times. */
  toText(): string;
  /** Whether such a step was run. */
  has(name: string): boolean;
  /** Milliseconds since the first look at the clock. */
  totalMs(): number;
}

/** Steps measured with the host's clock. */
export function createSteps(host: Pick<Host, "clock">): Steps {
  const times = new Map<string, number>();
  const beginMs = host.clock.monotonicMs();
  function end(name: string, startMs: number): void {
    times.set(name, (times.get(name) ?? 0) + host.clock.monotonicMs() - startMs);
  }
  return {
    run: (name, work) => {
      const startMs = host.clock.monotonicMs();
      try {
        return work();
      } catch (error) {
        throw toStepError(name, error);
      } finally {
        end(name, startMs);
      }
    },
    wait: async (name, work) => {
      const startMs = host.clock.monotonicMs();
      try {
        return await work();
      } catch (error) {
        throw toStepError(name, error);
      } finally {
        end(name, startMs);
      }
    },
    has: (name) => times.has(name),
    totalMs: () => host.clock.monotonicMs() - beginMs,
    toText: () => [...times].map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join(", "),
  };
}

function toStepError(name: string, error: unknown): StepError {
  return error instanceof StepError ? error : new StepError(name, error);
}
