// `virtfn provision`: gives PFs the VF count and MTU of the configuration, and leaves alone what pods use.

import { parseArgs } from "node:util";

import { HostError } from "../../host/errors.ts";
import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import { SriovError } from "../../sriov/errors.ts";
import { type PhysicalFunction, readInventory } from "../../sriov/inventory.ts";
import { findProvisionEntry, type ProvisionEntry } from "../../sriov/provision-config.ts";
import { type DesiredPf, observePf, reconcilePf, refuseUsed } from "../../sriov/provision-desired.ts";
import type { ProvisionHost, ProvisionStep } from "../../sriov/provision.ts";
import { parseProvisionConfig } from "../../sriov/resource-config.ts";
import { UsageError } from "../usage-error.ts";
import { findVfUsers } from "./vf-users.ts";

const usage = `Usage: virtfn provision [--dry-run] [--strict] [--config-file FILE]

Gives the PFs that the section "provision" of the device plugin's configuration names their number of VFs and their MTU.
Nothing is written where it is so already, or without such a section. A PF whose VFs are in use keeps them; the users are
named. Needs root in the node's network namespace.

  --dry-run           tell what would be done, change nothing
  --strict            exit with 1 when a PF is not as it shall be
  --config-file FILE  (default /etc/virtfn/deviceplugin/config.yaml if it is there)

Exits with 0 and a report, so that an init container does not keep the node's devices away; 2 for a command line that is not
understood.
`;

export interface ProvisionIo {
  readonly print: (text: string) => void;
  /** The kubelet's pods; `undefined` when it cannot be asked. */
  readonly listPods: () => Promise<readonly PodAllocation[] | undefined>;
}

/** Runs the command and gives its exit code. Throws ERR_USAGE. */
export async function runProvision(
  host: ProvisionHost,
  argv: readonly string[],
  io: ProvisionIo,
): Promise<number> {
  const { help, strict, "dry-run": isDryRun, "config-file": configFile } = parseCommandLine(argv);
  if (help) {
    io.print(usage);
    return 0;
  }
  const results = await provisionAll(host, configFile, isDryRun, io);
  for (const { text } of results) io.print(`${text}\n`);
  return strict && results.some(({ isAsked }) => !isAsked) ? 1 : 0;
}

/** One line of the report; `isAsked`: all is as the configuration asks, or would be. */
interface Result {
  readonly text: string;
  readonly isAsked: boolean;
}

async function provisionAll(
  host: ProvisionHost,
  configFile: string | undefined,
  isDryRun: boolean,
  io: ProvisionIo,
): Promise<readonly Result[]> {
  const path = configFile ?? host.paths.resourceConfig;
  let entries: readonly ProvisionEntry[];
  try {
    const text = host.files.readText(path);
    if (text === undefined && configFile !== undefined) return [failed(`${path} is missing`)];
    entries = text === undefined ? [] : parseProvisionConfig(text, { path });
  } catch (error) {
    return [failed(describeKnown(error))];
  }
  if (entries.length === 0) return [{ text: `nothing to do: ${path} provisions no PF`, isAsked: true }];
  const pfs = [...readInventory(host).pfs.values()];
  const wanted = pfs.flatMap((pf) => {
    const entry = findProvisionEntry(entries, pf);
    return entry === undefined ? [] : [{ pf, entry }];
  });
  if (wanted.length === 0) return [{ text: "nothing to do: this node has none of the PFs", isAsked: true }];
  const results: Result[] = [];
  for (const { pf, entry } of wanted) results.push(await provisionOne(host, pf, entry, isDryRun, io));
  return results;
}

async function provisionOne(
  host: ProvisionHost,
  { address, netdevs }: PhysicalFunction,
  desired: DesiredPf,
  isDryRun: boolean,
  io: ProvisionIo,
): Promise<Result> {
  const name = netdevs[0] === undefined ? address : `${netdevs[0]} (${address})`;
  const findUsers = async (pf: PhysicalFunction): Promise<readonly string[]> =>
    findVfUsers(host, pf, await io.listPods());
  try {
    const steps = isDryRun
      ? await planOnly(host, address, desired, findUsers)
      : await reconcilePf(host, address, desired, findUsers);
    const what = steps.length === 0 ? "as it shall be" : steps.map(formatStep).join(", ");
    return { text: `${name}: ${isDryRun && steps.length > 0 ? "would " : ""}${what}`, isAsked: true };
  } catch (error) {
    return failed(`${name}: ${describeKnown(error)}`);
  }
}

async function planOnly(
  host: ProvisionHost,
  address: PhysicalFunction["address"],
  desired: DesiredPf,
  findUsers: (pf: PhysicalFunction) => Promise<readonly string[]>,
): Promise<readonly ProvisionStep[]> {
  const { pf, steps } = observePf(host, address, desired);
  await refuseUsed(pf, steps, findUsers);
  return steps;
}

function formatStep(step: ProvisionStep): string {
  switch (step.do) {
    case "bringUp":
      return "bring it up";
    case "setMtu":
      return `set the MTU to ${step.mtu}`;
    case "setNumVfs":
      return step.numVfs === 0 ? "remove all VFs" : `make ${step.numVfs} VFs`;
  }
}

function failed(text: string): Result {
  return { text, isAsked: false };
}

/** The message of an error of ours with its code; anything else is a defect and thrown on. */
function describeKnown(error: unknown): string {
  if (error instanceof HostError || error instanceof SriovError) return `${error.code}: ${error.message}`;
  throw error;
}

interface Flags {
  readonly help: boolean;
  readonly strict: boolean;
  readonly "dry-run": boolean;
  readonly "config-file"?: string | undefined;
}

function parseCommandLine(argv: readonly string[]): Flags {
  const options = {
    help: { type: "boolean", short: "h", default: false },
    strict: { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
    "config-file": { type: "string" },
  } as const;
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (cause) {
    throw new UsageError("provision", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
