// BPF programs on a link's traffic (tcx): neither netlink tells of them, nor does a move between namespaces take them off.
// Source: include/uapi/linux/bpf.h, union bpf_attr; kernel/bpf/tcx.c, since Linux 6.6.

import * as fs from "node:fs";

import { SystemCallError } from "./errors.ts";
import type { Libc } from "./libc.ts";

export interface TrafficPrograms {
  /** Takes all off the link `index` of the process's own namespace, also those that a bpf_link holds. Throws SystemCallError. */
  removeAll(index: number): void;
}

const BPF_PROG_DETACH = 9;
const BPF_PROG_QUERY = 16;
const BPF_LINK_GET_FD_BY_ID = 30;
const BPF_LINK_DETACH = 34;
const BPF_F_BEFORE = 8;
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
  };
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
  attributes.setUint32(0, linkId, true);
  const fd = libc.bpf(BPF_LINK_GET_FD_BY_ID, attributes, on);
  try {
    attributes.setUint32(0, fd, true);
    libc.bpf(BPF_LINK_DETACH, attributes, on);
  } finally {
    fs.closeSync(fd);
  }
}

// A bpf_link ends with the process that has it.
function unlessGone(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (!(error instanceof SystemCallError) || error.errno !== "ENOENT") throw error;
  }
}
