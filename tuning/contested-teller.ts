// Keeps the file of contested pins as the daemon knows them, for the commands that look and for the next start.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Log } from "../host/log.ts";
import { type ContestedPin, formatContestedPins, writeContestedPins } from "../sriov/contested-pins.ts";

/** Writes the file at each call that tells something new. `known`: what is in it. A failure is logged, and tried again. */
export function createContestedTeller(
  host: Pick<Host, "files" | "paths">,
  log: Log,
  known: readonly ContestedPin[],
): (pins: readonly ContestedPin[]) => void {
  let written = formatContestedPins(known);
  return (pins) => {
    const text = formatContestedPins(pins);
    if (text === written) return;
    try {
      writeContestedPins(host, pins);
      written = text;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      log.warn({ error }, "cannot write down which pins are contested");
    }
  };
}
