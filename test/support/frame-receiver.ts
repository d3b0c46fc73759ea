// Receives whole Ethernet frames on a link of a namespace, as a neighbour would.

import * as fs from "node:fs";

import { SystemCallError } from "../../host/errors.ts";
import { createLibc } from "../../host/libc.ts";
import { enterNetns } from "../../host/netns-enter.ts";

export interface FrameReceiver extends Disposable {
  /** Frames that came from this MAC since the last call. */
  takeFrom(mac: string): readonly Uint8Array[];
}

/** Everything that the link receives from now on. Needs root. */
export function receiveFrames(netnsPath: string, ifindex: number): FrameReceiver {
  const libc = createLibc();
  const netns = fs.openSync(netnsPath, "r");
  const nonBlockingRaw = 3 | 0o4000 | 0o2000000;
  const everyProtocol = 0x0300;
  const socket = enterNetns(libc, { label: netnsPath, fd: netns }, () =>
    libc.socket(17, nonBlockingRaw, everyProtocol),
  );
  fs.closeSync(netns);
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, 17, true);
  view.setUint16(2, everyProtocol, true);
  view.setInt32(4, ifindex, true);
  libc.bind(socket, address);
  return {
    takeFrom: (mac) => {
      const frames: Uint8Array[] = [];
      for (let frame = receive(socket); frame !== undefined; frame = receive(socket)) frames.push(frame);
      return frames.filter(
        (frame) => Buffer.from(frame.subarray(6, 12)).toString("hex") === mac.replaceAll(":", ""),
      );
    },
    [Symbol.dispose]: () => fs.closeSync(socket),
  };

  function receive(fd: number): Uint8Array | undefined {
    const buffer = new Uint8Array(2048);
    try {
      return buffer.subarray(0, libc.recv(fd, buffer, 0));
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === "EAGAIN") return undefined;
      throw error;
    }
  }
}
