// The fake node's local sockets: programs that answer, by address.

import { SystemCallError } from "../../host/errors.ts";
import type { LocalSockets } from "../../host/local-sockets.ts";

export interface FakeSockets {
  readonly localSockets: LocalSockets;
  /** What answers at an address. */
  readonly servers: Map<string, (message: string) => string>;
  /** Answers come when it is over; none is held up at the start. */
  pause: Promise<void> | undefined;
}

/** Nobody answers until a server is put in. */
export function createFakeSockets(): FakeSockets {
  const ask: LocalSockets["ask"] = async (address, message) => {
    const answer = sockets.servers.get(address);
    if (answer === undefined) throw new SystemCallError("connect", address, "ENOENT");
    await sockets.pause;
    return answer(message);
  };
  const isServed: LocalSockets["isServed"] = (address) => sockets.servers.has(address);
  const localSockets: LocalSockets = { ask, isServed, whenDone: async () => {} };
  const sockets: FakeSockets = { localSockets, servers: new Map(), pause: undefined };
  return sockets;
}
