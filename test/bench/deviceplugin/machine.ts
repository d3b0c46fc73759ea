// Machines of many VFs for the bench: PFs of at most 64 VFs, on two NUMA nodes in turn.

import { type Machine, machines, type PfShape } from "../../fixtures/machines.ts";

const vfsOfPf = 64;

/** A machine with `count` VFs of a network driver. */
export function makeMachine(count: number): Machine {
  const { cpus, pfs } = machines.i40e;
  const numbers = Array.from({ length: Math.ceil(count / vfsOfPf) }, (_, at) => at);
  return { cpus, pfs: numbers.map((at) => makePf(pfs[0], at, Math.min(vfsOfPf, count - at * vfsOfPf))) };
}

function makePf(shape: PfShape, at: number, numVfs: number): PfShape {
  const bus = (0x20 + at).toString(16);
  const numaNode = at % 2;
  return {
    ...shape,
    address: `0000:${bus}:00.0`,
    netdev: `ens${at}f0`,
    numVfs,
    numaNode,
    vf: { ...shape.vf, numaNode },
  };
}
