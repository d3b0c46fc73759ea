// `virtfn explain pod NS/NAME`: how far a pod's VFs came, and why no further. Changes nothing.

import { type DoctorHost, type DoctorSources, readDoctorFacts } from "../doctor/facts.ts";
import { parseFlagsAndWords } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { explainPod } from "./explain-pod.ts";
import { afterReset, formatExplanation } from "./format.ts";
import type { PodName } from "./step.ts";

const usage = `Usage: virtfn explain pod NAMESPACE/NAME [--json]

Follows a pod of this node from what the kubelet gave it to its VFs: the device, the record of the CNI plugin with settings and
addresses, the network namespace, the interface, the interrupts and their CPUs; or to where it stopped, why, and where to look.
Needs no daemon and no API server, changes nothing. Needs root on the node for what is in pods. In the cluster, on the pod's node:

  kubectl exec -n virtfn-system virtfn-xxxxx -c tuning -- virtfn explain pod shop/web-1

  --json   output for programs

Exits with 0 when no step stopped, 1 when one did, 2 for a command line that is not understood.
`;

export interface ExplainIo extends Pick<DoctorSources, "listPods"> {
  readonly print: (text: string) => void;
  /** Colours. */
  readonly isTerminal: boolean;
}

/** The runtime's usual folders. */
const folders = { binDir: "/opt/cni/bin", confDir: "/etc/cni/net.d" };

/** Runs the command and gives its exit code. Throws ERR_USAGE. */
export async function runExplain(
  host: DoctorHost,
  argv: readonly string[],
  { print, isTerminal, listPods }: ExplainIo,
): Promise<number> {
  const options = parseCommandLine(argv);
  if (options === "help") {
    print(usage);
    return 0;
  }
  const explanation = explainPod(await readDoctorFacts(host, { folders, listPods }), options.pod);
  const { steps, vfs } = explanation;
  print(
    options.json
      ? `${JSON.stringify({ ...explanation, afterReset }, undefined, 2)}\n`
      : formatExplanation(explanation, isTerminal),
  );
  return [...steps, ...vfs.flatMap((vf) => vf.steps)].some(({ state }) => state === "stopped") ? 1 : 0;
}

function parseCommandLine(
  argv: readonly string[],
): "help" | { readonly json: boolean; readonly pod: PodName } {
  const { values, positionals } = parseFlagsAndWords("explain", argv, {
    help: { type: "boolean", short: "h", default: false },
    json: { type: "boolean", default: false },
  });
  if (values.help) return "help";
  const [kind, name = "", ...rest] = positionals;
  const [, namespace, podName] = /^([^/]+)\/([^/]+)$/.exec(name) ?? [];
  if (kind !== "pod" || namespace === undefined || podName === undefined || rest.length > 0)
    throw new UsageError(
      "explain",
      `expected pod NAMESPACE/NAME, got ${JSON.stringify(positionals.join(" "))}`,
    );
  return { json: values.json, pod: { namespace, name: podName } };
}
