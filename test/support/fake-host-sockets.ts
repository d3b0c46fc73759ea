// The fake node's local sockets: programs that answer, by address.

import { SystemCallError } from "../../host/errors.ts";
import type { LocalSockets } from "../../host/local-sockets.ts";

export interface FakeSockets {
  readonly localSockets: LocalSockets;
  /** What answers at an address. */
  readonly servers: Map<string, (message: string) => string>;
}

/** Nobody answers until a server is put in. */
export function createFakeSockets(): FakeSockets {
  const servers: FakeSockets["servers"] = new Map();
  const ask: LocalSockets["ask"] = async (address, message) => {
    const answer = servers.get(address);
    if (answer === undefined) throw new SystemCallError("connect", address, "ENOENT");
    return answer(message);
  };
  return { localSockets: { ask }, servers };
}
