// The real `Host`: this machine, or for tests a machine whose files lie below another root.

import * as fs from "node:fs";

import { createClock } from "./clock.ts";
import { createExec, type Environment } from "./exec.ts";
import { attempt } from "./file-errors.ts";
import { createFiles } from "./files.ts";
import type { Host } from "./host.ts";
import { createLibc, type Libc } from "./libc.ts";
import { createLocalSockets } from "./local-sockets.ts";
import { createLocks } from "./lock.ts";
import { createNetlink } from "./netlink/create-netlink.ts";
import { createDevlink } from "./netlink/devlink.ts";
import { createEthtool } from "./netlink/ethtool.ts";
import { openEventSocket } from "./netlink/events.ts";
import { createNapis } from "./netlink/napi.ts";
import type { Netlink } from "./netlink/netlink.ts";
import { NetlinkSocket, openGenericSocket, openRouteSocket } from "./netlink/socket.ts";
import { enterNetns } from "./netns-enter.ts";
import { createNamespaces, type NetnsHandle } from "./netns.ts";
import { createPaths } from "./paths.ts";
import { createThreads } from "./threads.ts";
import { createTrafficPrograms } from "./traffic-programs.ts";

interface HostOptions {
  readonly root?: string;
  readonly hostRoot?: string;
  /** What programs that are run get; by default nothing of this process's own. */
  readonly environment?: Environment;
}

/**
 * Costs next to nothing until it is used: libc is loaded at the first call. `root` and `hostRoot` move `paths`, the locks and
 * the boot id; a `hostRoot` of its own is the root of the programs that are run; namespaces and netlink are this kernel's.
 */
export function createHost({ root = "/", hostRoot = root, environment }: HostOptions = {}): Host {
  const libc = createLibc();
  const files = createFiles(libc);
  const paths = createPaths(root, hostRoot);
  const clock = createClock(files, paths.proc);
  return {
    paths,
    files,
    clock,
    locks: createLocks({ libc, clock }, paths.locks),
    namespaces: createNamespaces(libc),
    openNetlink: (netns) => (netns === undefined ? openOwnNetlink(libc) : openNetlinkIn(libc, netns)),
    openEthtool: (netns) => createEthtool(openGeneric(libc, netns)),
    openNapis: (netns) => createNapis(openGeneric(libc, netns)),
    threads: createThreads(libc),
    trafficPrograms: createTrafficPrograms(libc),
    openDevlink: () => createDevlink(openGeneric(libc, undefined)),
    exec: createExec(paths.programRoot, environment),
    localSockets: createLocalSockets({ libc, clock }),
  };
}

function openGeneric(libc: Libc, netns: NetnsHandle | undefined): NetlinkSocket {
  const open = (): number => openGenericSocket(libc);
  return new NetlinkSocket(libc, netns === undefined ? open() : enterNetns(libc, netns, open));
}

function openOwnNetlink(libc: Libc): Netlink {
  return createNetlink(libc, openRouteSocket(libc), () => openEventSocket(libc));
}

/** A descriptor of its own lets `subscribe` go there again after the caller closed that of `netns`. */
function openNetlinkIn(libc: Libc, netns: NetnsHandle): Netlink {
  const fd = attempt("open", netns.label, () => fs.openSync(`/proc/thread-self/fd/${netns.fd}`, "r"));
  const inside = { label: netns.label, fd };
  try {
    return createNetlink(
      libc,
      enterNetns(libc, inside, () => openRouteSocket(libc)),
      () => enterNetns(libc, inside, () => openEventSocket(libc)),
      () => fs.closeSync(fd),
    );
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}
