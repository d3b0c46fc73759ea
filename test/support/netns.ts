// Fresh network namespaces for tests, with iproute2 to build them and to look at them independently of our own code.

import { execFileSync, spawnSync } from "node:child_process";

/** A named namespace, `/run/netns/<name>`; removed with everything in it when disposed. */
export interface TestNetns extends Disposable {
  readonly name: string;
  readonly path: string;
  /** Runs `ip` inside; throws when it fails. */
  ip(command: string): void;
  /** Runs a program inside and gives what it prints; throws when it fails. */
  run(command: readonly string[]): string;
  /** What `ip -j -d` prints inside, parsed. */
  look(command: string): readonly Record<string, unknown>[];
}

/** Needs root and iproute2. */
export function createTestNetns(): TestNetns {
  const name = `virtfn-t-${crypto.randomUUID().slice(0, 8)}`;
  execFileSync("ip", ["netns", "add", name]);
  const run = (args: readonly string[]): string =>
    execFileSync("ip", ["-n", name, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return {
    name,
    path: `/run/netns/${name}`,
    run: (command) =>
      execFileSync("ip", ["netns", "exec", name, ...command], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      }),
    ip: (command) => void run(command.split(" ")),
    look: (command) =>
      JSON.parse(run(["-j", "-d", ...command.split(" ")])) as readonly Record<string, unknown>[],
    [Symbol.dispose]: () => void spawnSync("ip", ["netns", "del", name]),
  };
}

/** Why links of that kind cannot be made on this kernel; `undefined` when they can. */
export function whyNoLinkKind(kind: string): string | undefined {
  using netns = createTestNetns();
  const made = spawnSync("ip", ["-n", netns.name, "link", "add", "probe", "type", kind], {
    encoding: "utf8",
  });
  return made.status === 0 ? undefined : `this kernel makes no link of kind ${kind}: ${made.stderr.trim()}`;
}
