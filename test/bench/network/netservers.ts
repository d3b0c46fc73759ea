// netserver for every namespace of the node under test, and where the packets of what it serves are counted.

import type { CountedDevice } from "./counters.ts";
import { insideName, namespaceName, serverAddress } from "./layout.ts";
import { isSriov, type Variant } from "./variant.ts";

export const netserverPort = 12_865;

export interface Netservers extends AsyncDisposable {
  readonly devices: readonly CountedDevice[];
  /** Throws when one of them has ended. */
  readonly check: () => void;
}

/**
 * One process in each namespace; with the variant `host` all here, each on its address. A VF counts its own packets (what the PF
 * counts of them depends on the driver); all other kinds are counted at the interface under test.
 */
export function startNetservers(variant: Variant, namespaces: number, pf: string): Netservers {
  const children = Array.from({ length: namespaces }, (_, at) => {
    const prefix = variant === "host" ? [] : ["ip", "netns", "exec", namespaceName(at)];
    const command = [
      ...prefix,
      "netserver",
      "-D",
      "-4",
      "-L",
      serverAddress(at),
      "-p",
      String(netserverPort),
    ];
    return Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
  });
  return {
    devices: isSriov(variant)
      ? children.map(({ pid }) => ({ file: `/proc/${pid}/net/dev`, link: insideName }))
      : [{ file: "/proc/self/net/dev", link: pf }],
    check: () => {
      const ended = children.findIndex(({ exitCode }) => exitCode !== null);
      if (ended >= 0)
        throw new Error(
          `netserver ${ended} ended (exit code ${children[ended]?.exitCode}): is it installed?`,
        );
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill("SIGTERM");
      await Promise.all(children.map(({ exited }) => exited));
    },
  };
}
