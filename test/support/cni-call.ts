// Calls the CNI on a host as a runtime does, and reads what it answers.

import type { Host } from "../../host/host.ts";
import type { CniOutcome } from "../../cni/run.ts";
import { runOn } from "./run-cni.ts";

export interface TestCall {
  readonly command?: string;
  readonly containerId?: string;
  readonly netns?: string;
  readonly ifName?: string;
  readonly args?: string;
  readonly path?: string;
  /** CNI_NETNS_OVERRIDE. */
  readonly override?: string;
}

export interface TestAnswer extends Pick<CniOutcome, "exitCode" | "stderr"> {
  /** stdout parsed; undefined when it is empty. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** Runs one verb with `config` on stdin. Unset variables have the values of a first pod, shop/web-1. */
export async function callCni(host: Host, config: object, call: TestCall = {}): Promise<TestAnswer> {
  const environment = {
    CNI_COMMAND: call.command ?? "ADD",
    CNI_CONTAINERID: call.containerId ?? "c1",
    CNI_NETNS: call.netns ?? "/run/netns/web-1",
    CNI_IFNAME: call.ifName ?? "net1",
    CNI_ARGS: call.args ?? podArgs("web-1"),
    CNI_NETNS_OVERRIDE: call.override,
    CNI_PATH: call.path ?? `${host.paths.root}/opt/cni/bin`,
  };
  const { exitCode, stdout, stderr } = await runOn(() => host, {
    environment,
    stdin: JSON.stringify(config),
  });
  return { exitCode, stderr, json: stdout === "" ? undefined : (JSON.parse(stdout) as TestAnswer["json"]) };
}

/** CNI_ARGS of pod shop/NAME with the UID "uid-NAME", as containerd writes them. */
export function podArgs(name: string): string {
  return `K8S_POD_NAME=${name};K8S_POD_NAMESPACE=shop;IgnoreUnknown=1;K8S_POD_UID=uid-${name}`;
}
