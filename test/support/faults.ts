// Wraps any Host so that its k-th call fails, or the process dies at it. Every function of the value and of the handles it
// returns is found by the wrapper itself: a call that is new cannot escape.

import type { Host } from "../../host/host.ts";
import { SystemCallError } from "../../host/errors.ts";

/** What shall happen at call number `at` (from 0). `killBefore` and `killAfter` are a kill -9 before or after its effect. */
export interface Fault {
  readonly at: number;
  readonly how: "fail" | "killBefore" | "killAfter";
}

/** The process is dead: every later call throws this too and has no effect, so that no `catch` or `finally` can undo anything. */
export class Kill extends Error {
  override get name(): string {
    return "KILL";
  }
}

export interface FaultyHost {
  readonly host: Host;
  /** Names of the calls made so far, as "files.readText" or "openNetlink().setLink". */
  readonly calls: readonly string[];
  /** Whether the fault was reached. */
  readonly isHit: () => boolean;
}

/** Calls that cannot fail in reality; a process can still die at them. */
const infallible: ReadonlySet<string> = new Set(["Symbol(Symbol.dispose)"]);

/** Reading a clock changes nothing: to die at it is to die at the call before or after. */
const uncounted: ReadonlySet<string> = new Set(["clock.nowMs", "clock.monotonicMs"]);

/** `host` with a fault in it; without a fault it only counts. */
export function withFault(host: Host, fault?: Fault): FaultyHost {
  const calls: string[] = [];
  let isDead = false;
  let isHit = false;

  function meet(name: string, how: Fault["how"], at: number): boolean {
    if (fault === undefined || fault.how !== how || fault.at !== at) return false;
    if (how === "fail" && infallible.has(name)) return false;
    isHit = true;
    return true;
  }
  function call(path: string, name: string, run: () => unknown): unknown {
    if (isDead) throw new Kill(`after the end: ${path}`);
    if (uncounted.has(path)) return run();
    const at = calls.push(path) - 1;
    if (meet(name, "fail", at)) throw new SystemCallError(path, "injected fault", "EIO");
    if (meet(name, "killBefore", at)) die();
    const result = run();
    if (result instanceof Promise)
      return result.then((value: unknown) => {
        if (isDead) throw new Kill(`after the end: ${path}`);
        if (meet(name, "killAfter", at)) die();
        return wrap(value, `${path}()`);
      });
    if (meet(name, "killAfter", at)) die();
    return wrap(result, `${path}()`);
  }
  function die(): never {
    isDead = true;
    throw new Kill("killed");
  }
  // What a process listens to it does not hear when it is dead.
  function untilDead(listen: unknown): unknown {
    const hear = listen as (...args: unknown[]) => unknown;
    return (...args: unknown[]): unknown => (isDead ? undefined : hear(...args));
  }
  function wrap(value: unknown, path: string): unknown {
    if (typeof value !== "object" || value === null || !hasFunctions(value)) return value;
    return new Proxy(value, {
      get(target, key) {
        const member: unknown = Reflect.get(target, key, target);
        const memberPath = path === "" ? String(key) : `${path}.${String(key)}`;
        if (typeof member !== "function") return wrap(member, memberPath);
        const run = member as (...args: unknown[]) => unknown;
        const isAsync = run.constructor.name === "AsyncFunction";
        return (...args: unknown[]): unknown => {
          const alive = args.map((arg) => (typeof arg === "function" ? untilDead(arg) : arg));
          if (!isAsync) return call(memberPath, String(key), () => run.apply(target, alive));
          return new Promise((resolve) => {
            resolve(call(memberPath, String(key), () => run.apply(target, alive)));
          });
        };
      },
    });
  }
  return { host: wrap(host, "") as Host, calls, isHit: () => isHit };
}

function hasFunctions(value: object): boolean {
  if (Array.isArray(value) || value instanceof Uint8Array) return false;
  return Reflect.ownKeys(value).some((key) => {
    const member: unknown = Reflect.get(value, key);
    return (
      typeof member === "function" || (typeof member === "object" && member !== null && hasFunctions(member))
    );
  });
}
