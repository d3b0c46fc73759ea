// `virtfn doctor`: looks for what keeps pods of this node from their VFs, or makes them slow. Changes nothing.

import { parseFlags } from "../flags.ts";
import { checks } from "./checks.ts";
import { type DoctorHost, type DoctorSources, readDoctorFacts } from "./facts.ts";
import { type CheckResult, formatResults } from "./format.ts";

const usage = `Usage: virtfn doctor [--json] [--cni-bin-dir DIR] [--cni-conf-dir DIR]

Checks this node: kernel, drivers, IOMMU, the kubelet's folders, the CNI plugin and its entry, VFs and records that do not fit
together, MTUs, MACs, interrupts. Tells for each what was seen, what was expected, and a fix. Needs no daemon and no API server,
changes nothing. Needs root on the node for what is in pods; what it cannot read it calls unknown. In the cluster:

  kubectl exec -n virtfn-system ds/virtfn -c tuning -- virtfn doctor

  --json              output for programs
  --cni-bin-dir DIR   on the node, default /opt/cni/bin
  --cni-conf-dir DIR  on the node, default /etc/cni/net.d

Exits with 0 when nothing is an error, 1 for errors, 2 for a command line that is not understood.
`;

export interface DoctorIo extends Pick<DoctorSources, "listPods"> {
  readonly print: (text: string) => void;
  /** Colours. */
  readonly isTerminal: boolean;
}

/** Runs the command and gives its exit code. Throws ERR_USAGE. */
export async function runDoctor(
  host: DoctorHost,
  argv: readonly string[],
  { print, isTerminal, listPods }: DoctorIo,
): Promise<number> {
  const options = parseCommandLine(argv);
  if (options.help) {
    print(usage);
    return 0;
  }
  const folders = { binDir: options["cni-bin-dir"], confDir: options["cni-conf-dir"] };
  const readings = await readDoctorFacts(host, { folders, listPods });
  const results = checks.map(({ name, run }): CheckResult => ({ check: name, findings: run(readings) }));
  print(
    options.json
      ? `${JSON.stringify({ checks: results }, undefined, 2)}\n`
      : formatResults(results, isTerminal),
  );
  return results.some(({ findings }) => findings.some(({ severity }) => severity === "error")) ? 1 : 0;
}

function parseCommandLine(argv: readonly string[]) {
  return parseFlags("doctor", argv, {
    help: { type: "boolean", short: "h", default: false },
    json: { type: "boolean", default: false },
    "cni-bin-dir": { type: "string", default: "/opt/cni/bin" },
    "cni-conf-dir": { type: "string", default: "/etc/cni/net.d" },
  });
}
