// `virtfn uninstall`: takes virtfn off this node, as far as nobody uses it.

import { Registry } from "prom-client";

import { type DaemonContext, runDaemon } from "../../host/daemon.ts";
import { HostError } from "../../host/errors.ts";
import { type ListenAddress, parseListenAddress } from "../../host/health-server.ts";
import type { Host } from "../../host/host.ts";
import { expectAbsolute, parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import { checkUnused } from "./node-in-use.ts";
import { planUninstall, type UninstallFolders } from "./plan.ts";
import { describeStep, uninstall } from "./uninstall.ts";

const usage = `Usage: virtfn uninstall [FLAGS]

Takes virtfn off this node: puts interrupts and masks back, takes the entry out of the CNI configuration, removes sockets, CDI
and device-info files, the udev rule, the executable (another program's file of that name is put back) and all state. Refuses while pods have VFs,
and names them. Stop the other programs of virtfn first. Needs root on the node.

  --dry-run             tell what would be done, change nothing
  --stay                keep trying until it is done, then stay and keep it so (a DaemonSet has no other end)
  --cni-bin-dir DIR     on the host, default /opt/cni/bin
  --cni-conf-dir DIR    on the host, default /etc/cni/net.d
  --kubelet-root DIR    the kubelet's --root-dir, default /var/lib/kubelet
  --listen ADDRESS:PORT with --stay: serve /healthz, /readyz and /metrics (default off); ready is done

Exits with 0 when nothing is left, 1 when it refused, 2 for a command line that is not understood.
`;

/** Between two tries of --stay. */
const retryMs = 10_000;

/** Runs the command on the node that `host` is and gives its exit code; `print` takes what goes to stdout. Throws ERR_USAGE, ERR_UNINSTALL. */
export async function runUninstall(
  host: Host,
  argv: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  const options = parseCommandLine(argv);
  if (options.help) {
    print(usage);
    return 0;
  }
  if (options.stay) return stay(host, options, options.listen);
  if (options.isDryRun) checkUnused(host);
  const steps = options.isDryRun ? planUninstall(host, options) : await uninstall(host, options);
  print(steps.length === 0 ? "nothing is left of virtfn\n" : "");
  for (const step of steps) print(`${describeStep(step)}\n`);
  return 0;
}

async function stay(
  host: Host,
  folders: UninstallFolders,
  listen: ListenAddress | undefined,
): Promise<number> {
  let problem: string | undefined = "has not looked at the node yet";
  const health = { listen, whyNotReady: () => problem, metrics: new Registry() };
  return runDaemon(host, { name: "uninstall", ...health }, async ({ log, signal }: DaemonContext) => {
    while (!signal.aborted) {
      try {
        for (const step of await uninstall(host, folders)) log.info({ step: describeStep(step) }, "done");
        if (problem !== undefined) log.info("nothing is left of virtfn on this node");
        problem = undefined;
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        if (problem !== error.message) log.error({ error }, "cannot uninstall yet");
        problem = error.message;
      }
      await pause(host, signal);
    }
  });
}

async function pause(host: Pick<Host, "clock">, signal: AbortSignal): Promise<void> {
  try {
    await host.clock.sleep(retryMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface UninstallOptions extends UninstallFolders {
  readonly help: boolean;
  readonly isDryRun: boolean;
  readonly stay: boolean;
  readonly listen: ListenAddress | undefined;
}

function parseCommandLine(argv: readonly string[]): UninstallOptions {
  const { help, stay, listen, ...values } = parseFlags("uninstall", argv, flags);
  if (stay && values["dry-run"]) throw new UsageError("uninstall", "--dry-run and --stay exclude each other");
  return {
    help,
    stay,
    isDryRun: values["dry-run"],
    binDir: expectAbsolute("uninstall", "cni-bin-dir", values["cni-bin-dir"]),
    confDir: expectAbsolute("uninstall", "cni-conf-dir", values["cni-conf-dir"]),
    kubeletRoot: expectAbsolute("uninstall", "kubelet-root", values["kubelet-root"]),
    listen: parseListenAddress(listen),
  };
}

const flags = {
  help: { type: "boolean", short: "h", default: false },
  "dry-run": { type: "boolean", default: false },
  stay: { type: "boolean", default: false },
  "cni-bin-dir": { type: "string", default: "/opt/cni/bin" },
  "cni-conf-dir": { type: "string", default: "/etc/cni/net.d" },
  "kubelet-root": { type: "string", default: "/var/lib/kubelet" },
  listen: { type: "string", default: "off" },
} as const;
