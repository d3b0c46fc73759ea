// The flags of `virtfn deviceplugin`.
import { parseArgs } from "node:util";

import { type ListenAddress, parseListenAddress } from "../host/health-server.ts";
import { type LogLevel, logLevels } from "../host/log.ts";
import { findPrefixProblem } from "../sriov/resource-config.ts";
import { DevicePluginUsageError } from "./errors.ts";

export interface DevicePluginArguments {
  readonly help: boolean;
  readonly listen: ListenAddress | undefined;
  readonly logLevel: LogLevel;
  /** `undefined`: the usual place, where nothing means the default. */
  readonly configFile: string | undefined;
  readonly resourcePrefix: string;
  /** Device nodes by CDI. */
  readonly useCdi: boolean;
  /** The node whose labels and Events are kept at the API server; `undefined`: the API server is not asked. */
  readonly reportNode: string | undefined;
}

/** What `--help` prints. */
export const usage = `virtfn deviceplugin: offers the SR-IOV virtual functions of this node to the kubelet

Usage: virtfn deviceplugin [--config-file FILE] [--resource-prefix PREFIX] [--use-cdi]
                           [--report-node NODE] [--listen ADDRESS:PORT | off] [--log-level LEVEL]

Without a configuration it offers every VF that has a network driver, of every PF, as
sriov/vf, except VFs that the node itself lives on. Follows changes of the node and of the
configuration by itself. Needs the node's network namespace and the kubelet's folders below
/var/lib/kubelet; needs no capability.

  --config-file FILE      resources, as sriov-network-device-plugin takes them, in JSON or
                          YAML (default /etc/virtfn/deviceplugin/config.yaml if it is there)
  --resource-prefix PREFIX  of resources whose configuration names none (default sriov)
  --use-cdi               tell the container runtime device nodes by CDI files in /run/cdi
  --report-node NODE      keep labels and Events of this node at the API server; needs a
                          service account that may
  --listen ADDRESS:PORT   where /healthz, /readyz and /metrics are served
                          (default :9810, every IPv4 address; "off": nowhere)
  --log-level LEVEL       ${logLevels.join(", ")} (default info)
  --help                  this text
`;

/** Parses the words after `virtfn deviceplugin`. Throws ERR_USAGE or ERR_LISTEN_ADDRESS. */
export function parseDevicePluginArguments(args: readonly string[]): DevicePluginArguments {
  const flags = parseFlags(args.map(withTwoDashes).flatMap(withoutValue));
  const { help, listen, "log-level": logLevel, "config-file": configFile, "use-cdi": useCdi } = flags;
  const resourcePrefix = flags["resource-prefix"];
  const level = logLevels.find((known) => known === logLevel);
  if (level === undefined) {
    throw new DevicePluginUsageError(
      `--log-level: expected one of ${logLevels.join(", ")}, got "${logLevel}"`,
    );
  }
  const problem = findPrefixProblem(resourcePrefix);
  if (problem !== undefined) throw new DevicePluginUsageError(problem);
  const reportNode = flags["report-node"];
  return {
    help,
    listen: parseListenAddress(listen),
    logLevel: level,
    configFile,
    resourcePrefix,
    useCdi,
    reportNode,
  };
}

/** Flags of sriov-network-device-plugin are Go's, which may have one dash. */
function withTwoDashes(word: string): string {
  return /^-[a-z][a-z-]+(?:=|$)/u.test(word) ? `-${word}` : word;
}

/** Go takes -use-cdi=true and -use-cdi=false too. */
function withoutValue(word: string): readonly string[] {
  if (word === "--use-cdi=false") return [];
  return [word === "--use-cdi=true" ? "--use-cdi" : word];
}

interface Flags {
  readonly help: boolean;
  readonly listen: string;
  readonly "log-level": string;
  readonly "config-file"?: string | undefined;
  readonly "resource-prefix": string;
  readonly "use-cdi": boolean;
  readonly "report-node"?: string | undefined;
}

function parseFlags(args: readonly string[]): Flags {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h", default: false },
        listen: { type: "string", default: ":9810" },
        "log-level": { type: "string", default: "info" },
        "config-file": { type: "string" },
        "use-cdi": { type: "boolean", default: false },
        "report-node": { type: "string" },
        "resource-prefix": { type: "string", default: "sriov" },
      },
    });
    return values;
  } catch (cause) {
    throw new DevicePluginUsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
