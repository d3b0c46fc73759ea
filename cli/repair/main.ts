// `virtfn repair`: brings home the VFs of pods that are gone, and tells of each VF in use what it found.

import type { Host } from "../../host/host.ts";
import { readHolders } from "../../kubelet/device-holders.ts";
import { ofGoneOwners } from "../../sriov/gone-owners.ts";
import { applyHomeNames, planHomeNames } from "../../sriov/home-name-repair.ts";
import { applyRepair, planRepair, type RepairStep } from "../../sriov/repair.ts";
import { parseFlags } from "../flags.ts";
import { formatTable } from "../table.ts";

const usage = `Usage: virtfn repair [--dry-run] [--json]

Compares the records of VFs in use with what is alive on this node. A VF whose pod is provably gone (its network namespace is not
there any more, and the VF is back on the host) is put back as it was, its addresses are released, its record is removed. Whatever
cannot be told counts as alive; the kubelet and the API server are not asked. A VF that came home while another link had its name
gets that back when it is free. Needs root on the node; in the cluster:

  kubectl exec -n virtfn-system ds/virtfn -c tuning -- virtfn repair --dry-run

  --dry-run   tell what would be done, change nothing
  --json      output for programs

Exits with 0 when nothing is left to do (with --dry-run: when all records could be read), 1 when something could not be done,
2 for a command line that is not understood. tuning does the same by itself each minute.
`;

/** How long a VF that the CNI is working on is waited for. */
const lockTimeoutMs = 5000;

/** Runs the command and gives its exit code; `print` takes what goes to stdout. Throws ERR_USAGE. */
export async function runRepair(
  host: Host,
  argv: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  const options = parseCommandLine(argv);
  if (options.help) {
    print(usage);
    return 0;
  }
  const isDryRun = options["dry-run"];
  const rule = ofGoneOwners(host, (device) => readHolders(host, device));
  const [plan, names] = [planRepair(host, rule), planHomeNames(host)];
  const steps = isDryRun
    ? [...plan, ...names]
    : [
        ...(await applyRepair(host, rule, plan, { lockTimeoutMs })),
        ...(await applyHomeNames(host, names, { lockTimeoutMs })),
      ];
  print(options.json ? formatJson(steps, isDryRun) : formatSteps(steps, isDryRun));
  return steps.some(({ problem }) => problem !== undefined) ? 1 : 0;
}

function formatSteps(steps: readonly RepairStep[], isDryRun: boolean): string {
  if (steps.length === 0) return "no VF is in use\n";
  const rows = [columns, ...steps.map((step) => toRow(step, isDryRun))];
  return `${formatTable(rows, { width: undefined, flexible: [] }).join("\n")}\n`;
}

const columns = ["VF", "HOLDER", "RESULT", "REASON"];

const words = {
  keep: ["keep", "kept"],
  release: ["would be released", "released"],
  reset: ["would be reset", "reset"],
  setAside: ["would be set aside", "set aside"],
  rename: ["would be renamed", "renamed"],
} as const;

function toRow(step: RepairStep, isDryRun: boolean): string[] {
  const { address, holder, action, reason, problem, kept = [] } = step;
  if (problem !== undefined) return [address, holder, "failed", `${problem.code}: ${problem.message}`];
  const left = kept.map(({ setting, expected, got }) => `it keeps ${setting} ${got}, expected ${expected}`);
  return [address, holder, words[action][isDryRun ? 0 : 1], [reason, ...left].join("; ")];
}

function formatJson(steps: readonly RepairStep[], isDryRun: boolean): string {
  const report = {
    isDryRun,
    vfs: steps.map(({ address, holder, action, reason, problem, kept }) => ({
      address,
      holder,
      action,
      reason,
      kept,
      problem: problem === undefined ? undefined : { code: problem.code, message: problem.message },
    })),
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function parseCommandLine(argv: readonly string[]) {
  return parseFlags("repair", argv, {
    help: { type: "boolean", short: "h", default: false },
    json: { type: "boolean", default: false },
    "dry-run": { type: "boolean", default: false },
  });
}
