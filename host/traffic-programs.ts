// BPF programs on a link's traffic, of which netlink does not tell (tcx), or which it may not take off (XDP by a bpf_link). A move
// between namespaces takes none of them off. Source: include/uapi/linux/bpf.h, union bpf_attr; kernel/bpf/tcx.c, since Linux 6.6.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import type { Libc } from "./libc.ts";

export interface TrafficPrograms {
  /** Takes all of tcx off the link `index` of the process's own namespace, also those that a bpf_link holds. Throws SystemCallError. */
  removeAll(index: number): void;
  /**
   * Takes the XDP `program` (its id) off links with this index where a bpf_link holds it. The kernel tells of a bpf_link no
   * namespace: another link with both is one of whoever had this one. Throws SystemCallError where none was found, and one of them
   * could not be looked at; those of others often cannot, while they are made (EAGAIN) or of a kind that tells nothing (EOPNOTSUPP).
   */
  removeHeldXdp(index: number, program: number): void;
}

const BPF_PROG_DETACH = 9;
const BPF_OBJ_GET_INFO_BY_FD = 15;
const BPF_PROG_QUERY = 16;
const BPF_LINK_GET_FD_BY_ID = 30;
const BPF_LINK_GET_NEXT_ID = 31;
const BPF_LINK_DETACH = 34;
const BPF_F_BEFORE = 8;
const BPF_LINK_TYPE_XDP = 6;
/** Enough of struct bpf_link_info for what is read: type, id, id of the program, 4 bytes of nothing, ifindex. */
const infoWords = 8;
/** BPF_TCX_INGRESS and BPF_TCX_EGRESS, with words for messages. */
const sides = [
  { type: 46, name: "received" },
  { type: 47, name: "sent" },
] as const;
/** BPF_MPROG_MAX. */
const mostPrograms = 64;
const attributesBytes = 64;

/** What kernels say that know no such programs, or may not be asked. */
const silent: ReadonlySet<string> = new Set(["EINVAL", "ENOSYS", "EPERM", "ENODEV"]);

export function createTrafficPrograms(libc: Pick<Libc, "bpf">): TrafficPrograms {
  return {
    removeAll: (index) => {
      for (const side of sides)
        for (let left = mostPrograms; left > 0; left -= 1) {
          const first = findFirst(libc, index, side);
          if (first === undefined) break;
          unlessGone(() => removeFirst(libc, index, side, first));
        }
    },
    removeHeldXdp: (index, program) => {
      const on = `program ${program} off link ${index}`;
      const unseen: SystemCallError[] = [];
      let isFound = false;
      for (let id = findNextLink(libc, 0); id !== undefined; id = findNextLink(libc, id)) {
        if (!isHeldXdp(libc, id, { index, program, on }, unseen)) continue;
        isFound = true;
        const linkId = id;
        unlessGone(() => withLink(libc, linkId, on, (fd) => detachLink(libc, fd, on)));
      }
      if (!isFound && unseen[0] !== undefined) throw unseen[0];
    },
  };
}

/** The id of the node's bpf_link after `id`; `undefined` after the last. */
function findNextLink(libc: Pick<Libc, "bpf">, id: number): number | undefined {
  const attributes = new DataView(new ArrayBuffer(attributesBytes));
  attributes.setUint32(0, id, true);
  try {
    libc.bpf(BPF_LINK_GET_NEXT_ID, attributes, `the bpf_link after ${id}`);
    return attributes.getUint32(4, true);
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === "ENOENT") return undefined;
    throw error;
  }
}

interface Held {
  readonly index: number;
  readonly program: number;
  /** For messages. */
  readonly on: string;
}

/** What keeps from looking at the bpf_link is added to `unseen`. */
function isHeldXdp(libc: Pick<Libc, "bpf">, id: number, held: Held, unseen: SystemCallError[]): boolean {
  try {
    const [type, , program, , index] = withLink(libc, id, held.on, (fd) => readLinkInfo(libc, fd, held.on));
    return type === BPF_LINK_TYPE_XDP && program === held.program && index === held.index;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    // It ended with the process that had it.
    if (error.errno !== "ENOENT") unseen.push(error);
    return false;
  }
}

function readLinkInfo(libc: Pick<Libc, "bpf">, fd: number, on: string): Uint32Array {
  const info = new Uint32Array(infoWords);
  const attributes = new DataView(new ArrayBuffer(attributesBytes));
  attributes.setUint32(0, fd, true);
  attributes.setUint32(4, info.byteLength, true);
  libc.bpf(BPF_OBJ_GET_INFO_BY_FD, attributes, on, new Map([[8, info]]));
  return info;
}

type Side = (typeof sides)[number];

/** `linkId`: 0 where no bpf_link holds it. */
interface First {
  readonly linkId: number;
}

function findFirst(libc: Pick<Libc, "bpf">, index: number, { type, name }: Side): First | undefined {
  const linkIds = new Uint32Array(mostPrograms);
  const attributes = new DataView(new ArrayBuffer(attributesBytes));
  attributes.setUint32(0, index, true);
  attributes.setUint32(4, type, true);
  attributes.setUint32(24, mostPrograms, true);
  const arrays = new Map([
    [16, new Uint32Array(mostPrograms)],
    [40, linkIds],
  ]);
  try {
    libc.bpf(BPF_PROG_QUERY, attributes, `programs on what link ${index} ${name}`, arrays);
  } catch (error) {
    if (error instanceof SystemCallError && silent.has(error.errno)) return undefined;
    throw error;
  }
  return attributes.getUint32(24, true) === 0 ? undefined : { linkId: linkIds[0] ?? 0 };
}

function removeFirst(libc: Pick<Libc, "bpf">, index: number, { type, name }: Side, { linkId }: First): void {
  const on = `programs off what link ${index} ${name}`;
  const attributes = new DataView(new ArrayBuffer(attributesBytes));
  if (linkId === 0) {
    attributes.setUint32(0, index, true);
    attributes.setUint32(8, type, true);
    attributes.setUint32(12, BPF_F_BEFORE, true);
    libc.bpf(BPF_PROG_DETACH, attributes, on);
    return;
  }
  withLink(libc, linkId, on, (fd) => detachLink(libc, fd, on));
}

function withLink<T>(libc: Pick<Libc, "bpf">, id: number, on: string, work: (fd: number) => T): T {
  const attributes = new DataView(new ArrayBuffer(attributesBytes));
  attributes.setUint32(0, id, true);
  const fd = libc.bpf(BPF_LINK_GET_FD_BY_ID, attributes, on);
  try {
    return work(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function detachLink(libc: Pick<Libc, "bpf">, fd: number, on: string): void {
  const attributes = new DataView(new ArrayBuffer(attributesBytes));
  attributes.setUint32(0, fd, true);
  libc.bpf(BPF_LINK_DETACH, attributes, on);
}

// A bpf_link ends with the process that has it.
function unlessGone(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== "ENOENT") throw error;
  }
}
