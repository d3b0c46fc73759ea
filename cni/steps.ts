// Names and times the steps of a call: an error says in which step it happened, a log line how long each took.

import type { Host } from "../host/host.ts";
import { StepError } from "./errors.ts";

export interface Steps {
  /** Runs one step; what it throws becomes a StepError with its name. */
  run<Result>(name: string, work: () => Result): Result;
  /** As `run`, for a step that waits. */
  wait<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** "move 15.2 ms, addresses 0.4 ms". */
  toText(): string;
}

/** Steps measured with the host's clock. */
export function createSteps(host: Pick<Host, "clock">): Steps {
  const times: (readonly [string, number])[] = [];
  function end(name: string, startMs: number): void {
    times.push([name, host.clock.monotonicMs() - startMs]);
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
    toText: () => times.map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`).join(", "),
  };
}

function toStepError(name: string, error: unknown): StepError {
  return error instanceof StepError ? error : new StepError(name, error);
}
