// What the passes of one process remember, each of its own kind.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import { readContestedPins } from "../sriov/contested-pins.ts";
import { RecordCorruptError } from "../sriov/errors.ts";
import { AstrayPins } from "./astray-pins.ts";
import { Contests } from "./contests.ts";
import { FullCpus } from "./full-cpus.ts";
import type { IrqBalanceHost } from "./irqbalance/keep-off.ts";
import { IrqBalanceKeeper } from "./irqbalance/keeper.ts";
import { readTold } from "./irqbalance/told-record.ts";
import { createRecordParsers, type RecordParsers } from "./record-parsers.ts";
import { Refusals } from "./refusals.ts";
import { UndonePins } from "./undone-pins.ts";
import { VfOwners } from "./vf-owners.ts";

export interface PassMemory {
  readonly owners: VfOwners;
  readonly refusals: Refusals;
  readonly fullCpus: FullCpus;
  readonly undone: UndonePins;
  readonly astray: AstrayPins;
  readonly contests: Contests;
  readonly irqBalance: IrqBalanceKeeper;
  readonly parsers: RecordParsers;
}

/** The memory of a process that starts; pins that the daemon left to rest go on resting. */
export function createPassMemory(host: IrqBalanceHost): PassMemory {
  return {
    owners: new VfOwners(),
    refusals: new Refusals(),
    fullCpus: new FullCpus(host),
    undone: new UndonePins(),
    astray: new AstrayPins(host),
    contests: new Contests(host, readKnown(host), readToldPid(host)),
    irqBalance: new IrqBalanceKeeper(host),
    parsers: createRecordParsers(),
  };
}

// Nothing but a few rests is lost with a file that can't be read; the next one replaces it.
function readKnown(host: Pick<Host, "files" | "paths">): ReturnType<typeof readContestedPins> {
  try {
    return readContestedPins(host);
  } catch (error) {
    if (error instanceof RecordCorruptError) return [];
    throw error;
  }
}

// One that can't be read is told by the passes.
function readToldPid(host: IrqBalanceHost): number | undefined {
  try {
    const { told } = readTold(host);
    return told?.bootId === host.clock.bootId() ? told.pid : undefined;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
