// Running irqbalance processes, and what each of them was told to leave alone.

import { join } from "node:path";

import { HostError, SystemCallError } from "../../host/errors.ts";
import type { Host } from "../../host/host.ts";
import { SriovError } from "../../sriov/errors.ts";
import { initialPidNamespace } from "../../sriov/processes.ts";
import { readBans } from "../../tuning/irqbalance/ban-list.ts";
import { parseIrqBalanceArguments } from "../../tuning/irqbalance/command-line.ts";
import { hasPolicyEntry, isPolicyFolder } from "../../tuning/irqbalance/policy-entry.ts";
import { type IrqBalanceProcess, listIrqBalance } from "../../tuning/irqbalance/process.ts";

export interface IrqBalancer {
  readonly pid: number;
  /** IRQs of its command line, or of its list where it tells that. */
  readonly banned: ReadonlySet<number>;
  /** It asks our entry about each interrupt, or a script of the administrator. */
  readonly asks: boolean;
  /** Why its list is not known. */
  readonly silence: string | undefined;
}

type Eyes = Pick<Host, "files" | "paths" | "localSockets">;

/** Throws SystemCallError where not all processes of the machine are seen. */
export async function readIrqBalancers(host: Eyes): Promise<readonly IrqBalancer[]> {
  const { files, paths } = host;
  const own = join(paths.proc, "self/ns/pid");
  if (files.readLink(own) !== initialPidNamespace)
    throw new SystemCallError(
      "readlink",
      own,
      "the machine's processes are not seen from this PID namespace",
    );
  return Promise.all(listIrqBalance(host).map(async (process) => readIrqBalancer(host, process)));
}

async function readIrqBalancer(host: Eyes, { pid, args }: IrqBalanceProcess): Promise<IrqBalancer> {
  const { policyScript, bannedIrqs } = parseIrqBalanceArguments(args);
  const asks =
    policyScript !== undefined && (!isPolicyFolder(host, policyScript) || hasPolicyEntry(host, policyScript));
  try {
    return { pid, asks, banned: new Set(await readBans(host, pid)), silence: undefined };
  } catch (error) {
    if (!(error instanceof HostError || error instanceof SriovError)) throw error;
    return { pid, asks, banned: new Set(bannedIrqs), silence: error.message };
  }
}
