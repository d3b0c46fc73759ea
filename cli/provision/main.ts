// `virtfn provision`: gives PFs the VF count and MTU of the configuration, and VFs the driver; leaves alone what pods use.

import type { PodAllocation } from "../../kubelet/pod-resources.ts";
import type { FindVfUsers } from "../../sriov/provision-desired.ts";
import { findPrefixProblem, parseProvisionConfig } from "../../sriov/resource-config.ts";
import { parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { type DriverHost, provisionDrivers } from "./provision-drivers.ts";
import { provisionPfs } from "./provision-pfs.ts";
import { describeKnown, failed, type Result } from "./result.ts";
import { findVfUsers } from "./vf-users.ts";

const usage = `Usage: virtfn provision [--dry-run] [--strict] [--config-file FILE] [--resource-prefix PREFIX]

Gives the PFs that the section "provision" of the device plugin's configuration names their number of VFs and their MTU,
and the VFs of resources the driver that it names. Nothing is written where it is so already, or without such a section.
VFs in use are left as they are; the users are named. Needs root in the node's network namespace.

  --dry-run           tell what would be done, change nothing
  --strict            exit with 1 when a PF is not as it shall be
  --config-file FILE  (default /etc/virtfn/deviceplugin/config.yaml if it is there)
  --resource-prefix PREFIX  as the device plugin is given it (default sriov)

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
  host: DriverHost,
  argv: readonly string[],
  io: ProvisionIo,
): Promise<number> {
  const { help, strict, ...asked } = parseCommandLine(argv);
  if (help) {
    io.print(usage);
    return 0;
  }
  const results = await attempt(() => provisionAll(host, asked, io));
  for (const { text } of results) io.print(`${text}\n`);
  return strict && results.some(({ isAsked }) => !isAsked) ? 1 : 0;
}

/** A configuration or a node that cannot be read is told like a PF that cannot be changed. */
async function attempt(provision: () => Promise<readonly Result[]>): Promise<readonly Result[]> {
  try {
    return await provision();
  } catch (error) {
    return [failed(describeKnown(error))];
  }
}

async function provisionAll(
  host: DriverHost,
  {
    "config-file": configFile,
    "dry-run": isDryRun,
    "resource-prefix": prefix,
  }: Omit<Flags, "help" | "strict">,
  io: ProvisionIo,
): Promise<readonly Result[]> {
  const path = configFile ?? host.paths.resourceConfig;
  const text = host.files.readText(path);
  if (text === undefined && configFile !== undefined) return [failed(`${path} is missing`)];
  const config = parseProvisionConfig(text ?? "resourceList: []", { path, prefix });
  const { pfs, drivers } = config.provision;
  if (pfs.length + drivers.size === 0)
    return [{ text: `nothing to do: ${path} provisions nothing`, isAsked: true }];
  const findUsers: FindVfUsers = async (of) => findVfUsers(host, of, await io.listPods());
  const ofPfs = await provisionPfs(host, pfs, isDryRun, findUsers);
  const ofDrivers = await provisionDrivers(host, config, isDryRun, findUsers);
  const results = [...ofPfs, ...ofDrivers];
  return results.length > 0
    ? results
    : [{ text: "nothing to do: this node has none of the PFs", isAsked: true }];
}

type Flags = ReturnType<typeof parseCommandLine>;

function parseCommandLine(argv: readonly string[]) {
  const flags = parseFlags("provision", argv, {
    help: { type: "boolean", short: "h", default: false },
    strict: { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
    "config-file": { type: "string" },
    "resource-prefix": { type: "string", default: "sriov" },
  });
  const problem = findPrefixProblem(flags["resource-prefix"]);
  if (problem === undefined) return flags;
  throw new UsageError("provision", problem);
}
