// The command line of `virtfn install-cni`.

import { parseArgs } from "node:util";
import { type ListenAddress, parseListenAddress } from "../../host/health-server.ts";
import { UsageError } from "../usage-error.ts";
import type { InstallOptions } from "./installer.ts";

export interface InstallCniOptions extends InstallOptions {
  /** Stay, and keep it so. */
  readonly watch: boolean;
  readonly listen: ListenAddress | undefined;
}

const options = {
  watch: { type: "boolean", default: false },
  "cni-bin-dir": { type: "string", default: "/opt/cni/bin" },
  "cni-conf-dir": { type: "string", default: "/etc/cni/net.d" },
  networks: { type: "string" },
  "no-conflist": { type: "boolean", default: false },
  "host-root": { type: "string", default: "/" },
  name: { type: "string", multiple: true, default: [] as string[] },
  listen: { type: "string", default: "off" },
} as const;

/** Parses `argv` (without the command's name); `source` is the executable to install. Throws ERR_USAGE or ERR_LISTEN_ADDRESS. */
export function parseInstallCniOptions(argv: readonly string[], source: string): InstallCniOptions {
  const { values } = parse(argv);
  for (const name of values.name) {
    if (!/^[\w][\w.-]*$/.test(name)) {
      throw new UsageError("install-cni", `--name: expected a file name, got ${JSON.stringify(name)}`);
    }
  }
  return {
    source,
    watch: values.watch,
    binDir: absolute("cni-bin-dir", values["cni-bin-dir"]),
    confDir: values["no-conflist"] ? undefined : absolute("cni-conf-dir", values["cni-conf-dir"]),
    networksFile: values.networks === undefined ? undefined : absolute("networks", values.networks),
    hostRoot: absolute("host-root", values["host-root"]),
    aliases: values.name.filter((name) => name !== "virtfn"),
    listen: parseListenAddress(values.listen),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true });
  } catch (cause) {
    throw new UsageError("install-cni", cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function absolute(option: string, path: string): string {
  if (path.startsWith("/")) return path;
  throw new UsageError("install-cni", `--${option}: expected an absolute path, got ${JSON.stringify(path)}`);
}
