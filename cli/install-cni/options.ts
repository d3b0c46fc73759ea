// The command line of `virtfn install-cni`.

import { type ListenAddress, parseListenAddress } from "../../host/health-server.ts";
import { expectAbsolute, parseFlags } from "../flags.ts";
import { UsageError } from "../usage-error.ts";
import type { InstallOptions } from "./installer.ts";
import { udevRulesFolder } from "./udev-rule.ts";

export interface InstallCniOptions extends InstallOptions {
  readonly help: boolean;
  /** Stay, and keep it so. */
  readonly watch: boolean;
  readonly listen: ListenAddress | undefined;
  /** Undefined where it is the usual one, and nothing is to be checked. */
  readonly kubeletRoot: string | undefined;
}

export const usage = `Usage: virtfn install-cni [FLAGS]

Puts the CNI executable into the host's folder of CNI plugins and virtfn's entry into the configuration list that the
container runtime loads, behind the cluster's own plugins. Waits while there is no configuration yet.

  --watch               stay, and put both back when another program changes them
  --cni-bin-dir DIR     default /opt/cni/bin
  --cni-conf-dir DIR    default /etc/cni/net.d
  --entry FILE          YAML or JSON mapping: what the entry says ("networks"); a missing file leaves it as it is
  --no-conflist         the executable only, where every configuration names virtfn itself (Multus)
  --name NAME           a further name for the executable, may be repeated; another program's file is kept beside it
  --udev-rule           also a udev rule (/etc/udev/rules.d/84-virtfn.rules): NetworkManager and networkd leave VFs alone
  --kubelet-root DIR    the kubelet's --root-dir where it is not /var/lib/kubelet: checks that the CNI will find its files
  --host-root DIR       where the host's root is seen, to check that the host can start the executable (default /)
  --listen ADDRESS:PORT serve /healthz, /readyz and /metrics (default off)
`;

const options = {
  help: { type: "boolean", short: "h", default: false },
  watch: { type: "boolean", default: false },
  "cni-bin-dir": { type: "string", default: "/opt/cni/bin" },
  "cni-conf-dir": { type: "string", default: "/etc/cni/net.d" },
  entry: { type: "string" },
  "no-conflist": { type: "boolean", default: false },
  "udev-rule": { type: "boolean", default: false },
  "kubelet-root": { type: "string" },
  "host-root": { type: "string", default: "/" },
  name: { type: "string", multiple: true, default: [] as string[] },
  listen: { type: "string", default: "off" },
} as const;

/** Parses `argv` (without the command's name); `source` is the executable to install. Throws ERR_USAGE or ERR_LISTEN_ADDRESS. */
export function parseInstallCniOptions(argv: readonly string[], source: string): InstallCniOptions {
  const values = parseFlags("install-cni", argv, options);
  const kubeletRoot = values["kubelet-root"];
  for (const name of values.name) {
    if (!/^[\w][\w.-]*$/.test(name)) {
      throw new UsageError("install-cni", `--name: expected a file name, got ${JSON.stringify(name)}`);
    }
  }
  return {
    source,
    help: values.help,
    watch: values.watch,
    binDir: expectAbsolute("install-cni", "cni-bin-dir", values["cni-bin-dir"]),
    confDir: values["no-conflist"]
      ? undefined
      : expectAbsolute("install-cni", "cni-conf-dir", values["cni-conf-dir"]),
    entryFile: values.entry === undefined ? undefined : expectAbsolute("install-cni", "entry", values.entry),
    udevRules: values["udev-rule"] ? udevRulesFolder : undefined,
    kubeletRoot:
      kubeletRoot === undefined ? undefined : expectAbsolute("install-cni", "kubelet-root", kubeletRoot),
    hostRoot: expectAbsolute("install-cni", "host-root", values["host-root"]),
    aliases: values.name.filter((name) => name !== "virtfn"),
    listen: parseListenAddress(values.listen),
  };
}
