// BPF programs for tests on the real kernel: loaded by bpf(2); of XDP attached by netlink, of tcx by bpf(2), too.

import { dlopen, ptr } from "bun:ffi";
import * as fs from "node:fs";

import { encodeLinkBody, IFLA, RTM_NEWLINK, XDP } from "../../host/netlink/link.ts";
import type { NetlinkRequest } from "../../host/netlink/message.ts";
import type { XdpMode } from "../../host/netlink/netlink.ts";
import { encodeU32 } from "../../host/netlink/values.ts";

const SYS_bpf = 321;
const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_QUERY = 16;
const BPF_LINK_CREATE = 28;
const BPF_PROG_TYPE_SCHED_CLS = 3;
const BPF_PROG_TYPE_XDP = 6;
const BPF_XDP = 37;
const BPF_TCX_INGRESS = 46;
/** r0 = XDP_DROP; exit. */
const dropAll = Uint8Array.from([0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const NLA_F_NESTED = 0x8000;

/** A loaded program that drops every packet; it lives until it is closed and nothing has it attached. */
export interface XdpProgram extends Disposable {
  readonly fd: number;
}

/** Throws where this kernel loads none. */
export function loadXdpProgram(): XdpProgram {
  return loadProgram(BPF_PROG_TYPE_XDP);
}

/** A program for what a link receives (tcx). Throws where this kernel loads none. */
export function loadTcxProgram(): XdpProgram {
  return loadProgram(BPF_PROG_TYPE_SCHED_CLS);
}

/** Attaches it to a link of the calling thread's namespace, by a bpf_link or without; false where this kernel has no tcx. */
export function attachTcx(index: number, { fd }: XdpProgram, how: "link" | "program"): boolean {
  const attributes = new DataView(new ArrayBuffer(128));
  const fields = how === "link" ? [fd, index, BPF_TCX_INGRESS] : [index, fd, BPF_TCX_INGRESS];
  for (const [at, value] of fields.entries()) attributes.setUint32(at * 4, value, true);
  return bpf(how === "link" ? BPF_LINK_CREATE : BPF_PROG_ATTACH, attributes) >= 0;
}

/** Attaches it to a link of the calling thread's namespace by a bpf_link, which the descriptor that is given holds. */
export function linkXdp(index: number, { fd }: XdpProgram): number {
  const attributes = new DataView(new ArrayBuffer(128));
  for (const [at, value] of [fd, index, BPF_XDP, XDP.modes.skb.flag].entries())
    attributes.setUint32(at * 4, value, true);
  return bpf(BPF_LINK_CREATE, attributes);
}

/** How many programs such a link has for what it receives. */
export function countTcx(index: number): number {
  const attributes = new DataView(new ArrayBuffer(128));
  attributes.setUint32(0, index, true);
  attributes.setUint32(4, BPF_TCX_INGRESS, true);
  if (bpf(BPF_PROG_QUERY, attributes) < 0) throw new Error(`cannot ask for the programs of link ${index}`);
  return attributes.getUint32(24, true);
}

function bpf(command: number, attributes: DataView<ArrayBuffer>): number {
  const { symbols } = dlopen("libc.so.6", {
    syscall: { args: ["i64", "i64", "ptr", "i64"], returns: "i32" },
  });
  return symbols.syscall(SYS_bpf, command, ptr(attributes.buffer), attributes.byteLength);
}

function loadProgram(type: number): XdpProgram {
  const license = new TextEncoder().encode("GPL\0");
  const attributes = new DataView(new ArrayBuffer(128));
  attributes.setUint32(0, type, true);
  attributes.setUint32(4, dropAll.length / 8, true);
  attributes.setBigUint64(8, BigInt(ptr(dropAll)), true);
  attributes.setBigUint64(16, BigInt(ptr(license)), true);
  const fd = bpf(BPF_PROG_LOAD, attributes);
  if (fd < 0) throw new Error(`this kernel loads no program of type ${type}`);
  return { fd, [Symbol.dispose]: () => fs.closeSync(fd) };
}

/** The request that attaches it to a link. */
export function attachXdpRequest(index: number, { fd }: XdpProgram, mode: XdpMode): NetlinkRequest {
  const value = [
    { type: XDP.FD, value: encodeU32(fd) },
    { type: XDP.FLAGS, value: encodeU32(XDP.modes[mode].flag) },
  ];
  return {
    type: RTM_NEWLINK,
    flags: 0,
    body: encodeLinkBody(index, [{ type: IFLA.XDP | NLA_F_NESTED, value }]),
  };
}
