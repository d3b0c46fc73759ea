// The NAPI instances of a network device, which poll its queues: the netdev family of generic netlink.
// Source: Documentation/netlink/specs/netdev.yaml, napi-get (Linux 6.8).

import { NetlinkError } from "../errors.ts";
import { decodeGeneric, findFamily, genericRequest } from "./generic.ts";
import type { NetlinkSocket } from "./socket.ts";
import { decodeU32, encodeU32 } from "./values.ts";

/** `irq`: where the driver tells it; `pid`: of its kernel thread, where it has one, as the first pid namespace numbers it. */
export interface Napi {
  readonly id: number;
  readonly irq: number | undefined;
  readonly pid: number | undefined;
}

/** Of one network namespace. */
export interface Napis extends Disposable {
  /** By id, which is the order in which the driver added them; `undefined` where the kernel can't tell. None while the link is down. */
  list(index: number): readonly Napi[] | undefined;
}

const NETDEV_CMD_NAPI_GET = 11;
const NETDEV_A_NAPI_IFINDEX = 1;
const NETDEV_A_NAPI_ID = 2;
const NETDEV_A_NAPI_IRQ = 3;
const NETDEV_A_NAPI_PID = 4;
/** No such family, or no such command in it. */
const untold = new Set(["ENOENT", "EOPNOTSUPP"]);

/** `socket` is a generic netlink socket of the namespace, owned from here on. */
export function createNapis(socket: NetlinkSocket): Napis {
  return {
    list: (index) => {
      try {
        const asked = [{ type: NETDEV_A_NAPI_IFINDEX, value: encodeU32(index) }];
        const request = genericRequest(findFamily(socket, "netdev"), NETDEV_CMD_NAPI_GET, asked);
        const answers = socket.dump(`list the NAPI instances of link ${index}`, request);
        return answers.flatMap(decodeNapi).toSorted((a, b) => a.id - b.id);
      } catch (error) {
        if (error instanceof NetlinkError && untold.has(error.errno)) return undefined;
        throw error;
      }
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

function decodeNapi(body: Uint8Array): readonly Napi[] {
  const attributes = decodeGeneric(body);
  const read = (type: number): number | undefined => {
    const value = attributes.get(type);
    return value === undefined ? undefined : decodeU32(value);
  };
  const id = read(NETDEV_A_NAPI_ID);
  return id === undefined ? [] : [{ id, irq: read(NETDEV_A_NAPI_IRQ), pid: read(NETDEV_A_NAPI_PID) }];
}
