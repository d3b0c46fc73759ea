// XDP programs for tests on the real kernel: loaded by bpf(2), attached by netlink.

import { dlopen, ptr } from "bun:ffi";
import * as fs from "node:fs";

import { encodeLinkBody, IFLA, RTM_NEWLINK, XDP } from "../../host/netlink/link.ts";
import type { NetlinkRequest } from "../../host/netlink/message.ts";
import type { XdpMode } from "../../host/netlink/netlink.ts";
import { encodeU32 } from "../../host/netlink/values.ts";

const SYS_bpf = 321;
const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_XDP = 6;
/** r0 = XDP_DROP; exit. */
const dropAll = Uint8Array.from([0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const NLA_F_NESTED = 0x8000;

/** A loaded program that drops every packet; it lives until it is closed and nothing has it attached. */
export interface XdpProgram extends Disposable {
  readonly fd: number;
}

/** Throws where this kernel loads none. */
export function loadXdpProgram(): XdpProgram {
  const { symbols } = dlopen("libc.so.6", {
    syscall: { args: ["i64", "i64", "ptr", "i64"], returns: "i32" },
  });
  const license = new TextEncoder().encode("GPL\0");
  const attributes = new DataView(new ArrayBuffer(128));
  attributes.setUint32(0, BPF_PROG_TYPE_XDP, true);
  attributes.setUint32(4, dropAll.length / 8, true);
  attributes.setBigUint64(8, BigInt(ptr(dropAll)), true);
  attributes.setBigUint64(16, BigInt(ptr(license)), true);
  const fd = symbols.syscall(SYS_bpf, BPF_PROG_LOAD, ptr(attributes.buffer), attributes.byteLength);
  if (fd < 0) throw new Error("this kernel loads no XDP program");
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
