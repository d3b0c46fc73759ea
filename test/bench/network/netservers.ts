// netserver, and sockperf where it is wanted, for every namespace of the node under test, and where the packets of what they serve are counted.

import type { CountedDevice } from "./counters.ts";
import { insideName, namespaceName, serverAddress } from "./layout.ts";
import { sockperfPort } from "./sockperf.ts";
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
export function startNetservers(
  variant: Variant,
  {
    namespaces,
    pf,
    withSockperf,
  }: { readonly namespaces: number; readonly pf: string; readonly withSockperf: boolean },
): Netservers {
  const numbers = Array.from({ length: namespaces }, (_, at) => at);
  const start = (at: number, ...command: readonly string[]) => {
    const prefix = variant === "host" ? [] : ["ip", "netns", "exec", namespaceName(at)];
    return Bun.spawn([...prefix, ...command], { stdio: ["ignore", "ignore", "ignore"] });
  };
  const netservers = numbers.map((at) =>
    start(at, "netserver", "-D", "-4", "-L", serverAddress(at), "-p", String(netserverPort)),
  );
  const sockperfs = (withSockperf ? numbers : []).map((at) =>
    start(at, "sockperf", "server", "-i", serverAddress(at), "-p", String(sockperfPort)),
  );
  const children = [...netservers, ...sockperfs];
  return {
    devices: isSriov(variant)
      ? netservers.map(({ pid }) => ({ file: `/proc/${pid}/net/dev`, link: insideName }))
      : [{ file: "/proc/self/net/dev", link: pf }],
    check: () => {
      const ended = children.find(({ exitCode }) => exitCode !== null);
      if (ended === undefined) return;
      const name = netservers.includes(ended) ? "netserver" : "sockperf";
      throw new Error(
        `a ${name} ended (exit code ${ended.exitCode}): does another one listen, as a service?`,
      );
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of children) child.kill("SIGTERM");
      await Promise.all(children.map(({ exited }) => exited));
    },
  };
}
