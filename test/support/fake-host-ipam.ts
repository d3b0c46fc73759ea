// The fake node's programs: host-local and static, with their leases as state.

import { ExecError } from "../../host/errors.ts";
import type { Exec, ExecRequest, ExecResult } from "../../host/exec.ts";

export interface FakeIpam {
  readonly exec: Exec;
  /** "network containerId interface" -> address. */
  readonly leases: Map<string, string>;
  /** What was run: command, environment and configuration. */
  readonly calls: ExecRequest[];
  /** Answer of the next ADD instead of a lease. */
  failNextAdd(result: ExecResult): void;
}

interface DelegateConfig {
  readonly name: string;
  readonly cniVersion: string;
  readonly prevResult?: { readonly ips?: readonly { readonly address: string }[] };
  readonly ipam: {
    readonly subnet?: string;
    readonly ranges?: readonly (readonly { readonly subnet: string }[])[];
    readonly routes?: readonly object[];
    readonly addresses?: readonly { readonly address: string; readonly gateway?: string }[];
    readonly dns?: object;
  };
}

/** host-local hands out `.2`, `.3`, ... of its subnet and refuses the same container and interface twice, as the real one does. */
export function createFakeIpam(): FakeIpam {
  const leases = new Map<string, string>();
  const calls: ExecRequest[] = [];
  let failure: ExecResult | undefined;

  async function run(request: ExecRequest): Promise<ExecResult> {
    calls.push(request);
    const name = request.command.slice(request.command.lastIndexOf("/") + 1);
    if (name !== "host-local" && name !== "static")
      throw new ExecError(request.command, "could not be started: ENOENT");
    const config = JSON.parse(request.stdin) as DelegateConfig;
    const { CNI_COMMAND: command, CNI_CONTAINERID: containerId, CNI_IFNAME: ifName } = request.env;
    const key = `${config.name} ${containerId ?? ""} ${ifName ?? ""}`;
    const subnet: unknown = config.ipam.subnet ?? config.ipam.ranges?.[0]?.[0]?.subnet ?? "192.0.2.0/24";
    // Before anything else, whatever it is asked.
    const isAsked = name === "host-local" && command !== "GC" && command !== "STATUS";
    if (isAsked && (typeof subnet !== "string" || !isCidr(subnet)))
      return refuse(config, `invalid CIDR address: ${JSON.stringify(subnet)}`);
    if (command === "DEL") {
      leases.delete(key);
      return { exitCode: 0, stdout: "", stderr: "" };
    }
    // Both have nothing to do there, and say so with success.
    if (command === "GC" || command === "STATUS") return { exitCode: 0, stdout: "", stderr: "" };
    if (command === "CHECK") return check(config, name, leases.has(key));
    if (failure !== undefined) {
      const result = failure;
      failure = undefined;
      return result;
    }
    if (name === "static") return answer(config, config.ipam.addresses ?? []);
    if (leases.has(key)) return refuse(config, `duplicate allocation of ${key}`);
    const address = nextAddress(String(subnet), new Set(leases.values()));
    leases.set(key, address);
    return answer(config, [{ address, gateway: gatewayOf(address) }]);
  }
  return { exec: { run }, leases, calls, failNextAdd: (result) => (failure = result) };
}

// host-local looks for its lease; static for its addresses in the result, which it must be given.
function check(config: DelegateConfig, name: string, hasLease: boolean): ExecResult {
  const given = config.prevResult?.ips?.map(({ address }) => address);
  const wanted = config.ipam.addresses?.map(({ address }) => address) ?? [];
  const isRight = name === "static" ? given !== undefined : hasLease;
  const missing = name === "static" ? wanted.find((address) => given?.includes(address) !== true) : undefined;
  if (isRight && missing === undefined) return { exitCode: 0, stdout: "", stderr: "" };
  return refuse(config, `${name}: failed to find ${missing ?? "the address added by the container"}`);
}

function nextAddress(subnet: string, taken: ReadonlySet<string>): string {
  const [network = "", length = "24"] = subnet.split("/");
  const separator = network.includes(":") ? ":" : ".";
  const prefix = network.slice(0, network.lastIndexOf(separator) + 1);
  for (let host = 2; ; host += 1) {
    const address = `${prefix}${host}/${length}`;
    if (!taken.has(address)) return address;
  }
}

function isCidr(text: string): boolean {
  return /^[\d.]+\/\d+$|^[\da-f:]+\/\d+$/i.test(text);
}

function gatewayOf(address: string): string {
  const separator = address.includes(":") ? ":" : ".";
  return `${address.slice(0, address.lastIndexOf(separator) + 1)}1`;
}

function answer(config: DelegateConfig, ips: readonly object[]): ExecResult {
  const result = {
    cniVersion: config.cniVersion,
    ips,
    routes: config.ipam.routes ?? [],
    dns: config.ipam.dns ?? {},
  };
  return { exitCode: 0, stdout: JSON.stringify(result), stderr: "" };
}

function refuse(config: DelegateConfig, msg: string): ExecResult {
  return {
    exitCode: 1,
    stdout: JSON.stringify({ cniVersion: config.cniVersion, code: 999, msg }),
    stderr: "",
  };
}
