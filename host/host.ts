// The one value through which the programs touch the operating system; tests build their own.

import type { Clock } from "./clock.ts";
import type { Exec } from "./exec.ts";
import type { Files } from "./files.ts";
import type { Locks } from "./lock.ts";
import type { LocalSockets } from "./local-sockets.ts";
import type { Devlink } from "./netlink/devlink.ts";
import type { Ethtool } from "./netlink/ethtool.ts";
import type { Napis } from "./netlink/napi.ts";
import type { Netlink } from "./netlink/netlink.ts";
import type { NetnsHandle, Namespaces } from "./netns.ts";
import type { Paths } from "./paths.ts";
import type { Threads } from "./threads.ts";
import type { TrafficPrograms } from "./traffic-programs.ts";

/**
 * Every effect the programs have on a node. Members hold only functions and plain data, so that a test can wrap each
 * call (count it, fail it, kill the process at it). Pass it first and ask for no more than is used: `Pick<Host, "files">`.
 */
export interface Host {
  readonly paths: Paths;
  readonly files: Files;
  readonly locks: Locks;
  readonly namespaces: Namespaces;
  /** A netlink handle in `netns`, or in the process's own namespace; the caller closes it (`using`). */
  readonly openNetlink: (netns?: NetnsHandle) => Netlink;
  /** Channels and rings of the links in `netns`, or in the process's own namespace; the caller closes it (`using`). */
  readonly openEthtool: (netns?: NetnsHandle) => Ethtool;
  /** NAPI instances of the links in `netns`, or in the process's own namespace; the caller closes it (`using`). */
  readonly openNapis: (netns?: NetnsHandle) => Napis;
  readonly threads: Threads;
  readonly trafficPrograms: TrafficPrograms;
  /** What devices of the process's own namespace run; the caller closes it (`using`). */
  readonly openDevlink: () => Devlink;
  readonly exec: Exec;
  /** Programs of this node that answer at a socket. */
  readonly localSockets: LocalSockets;
  readonly clock: Clock;
}
