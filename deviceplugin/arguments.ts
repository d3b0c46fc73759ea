// The flags of `virtfn deviceplugin`.
import { parseArgs } from "node:util";

import { type ListenAddress, parseListenAddress } from "../host/health-server.ts";
import { type LogLevel, logLevels } from "../host/log.ts";
import { DevicePluginUsageError } from "./errors.ts";

export interface DevicePluginArguments {
  readonly help: boolean;
  readonly listen: ListenAddress | undefined;
  readonly logLevel: LogLevel;
}

/** What `--help` prints. */
export const usage = `virtfn deviceplugin: offers the SR-IOV virtual functions of this node to the kubelet

Usage: virtfn deviceplugin [--listen ADDRESS:PORT | off] [--log-level LEVEL]

Offers every VF that has a network driver, of every PF, as sriov/vf, except VFs that the
node itself lives on. Follows changes of the node by itself. Needs the node's network
namespace and the kubelet's folders below /var/lib/kubelet; needs no capability.

  --listen ADDRESS:PORT   where /healthz, /readyz and /metrics are served
                          (default :9810, every IPv4 address; "off": nowhere)
  --log-level LEVEL       ${logLevels.join(", ")} (default info)
  --help                  this text
`;

/** Parses the words after `virtfn deviceplugin`. Throws ERR_USAGE or ERR_LISTEN_ADDRESS. */
export function parseDevicePluginArguments(args: readonly string[]): DevicePluginArguments {
  const { help, listen, "log-level": logLevel } = parseFlags(args);
  const level = logLevels.find((known) => known === logLevel);
  if (level === undefined) {
    throw new DevicePluginUsageError(
      `--log-level: expected one of ${logLevels.join(", ")}, got "${logLevel}"`,
    );
  }
  return { help, listen: parseListenAddress(listen), logLevel: level };
}

function parseFlags(args: readonly string[]): { help: boolean; listen: string; "log-level": string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        listen: { type: "string", default: ":9810" },
        "log-level": { type: "string", default: "info" },
      },
    });
    return values;
  } catch (cause) {
    throw new DevicePluginUsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
