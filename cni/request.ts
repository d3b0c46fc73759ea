// A CNI call, parsed: its environment, its configuration, and the pod it is for.

import type { ConfigProblem } from "../sriov/config-problems.ts";
import { checkConfig, parseInput, readConfig, type CniConfig } from "./config.ts";
import { hasKey, isVfKey } from "./config-keys.ts";
import type { CniCall } from "./environment.ts";
import { parsePodArguments, type PodArguments } from "./pod-arguments.ts";

export interface Request {
  readonly call: CniCall;
  /** What came on stdin, unchecked. */
  readonly input: object;
  readonly config: CniConfig;
  readonly pod: PodArguments;
  /** What is wrong with the configuration and did not keep the call from its work. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads stdin for `call`. DEL and GC go on with what is right in the configuration: they must not wait for somebody to correct it. So do
 * ADD, CHECK and STATUS where the kubelet tells which pods have VFs: a mistake is no reason to fail those that have none.
 * Throws ERR_CNI_INPUT, ERR_CNI_VERSION, ERR_NETWORK_CONFIG.
 */
export function parseRequest(call: CniCall, stdin: string): Request {
  const input = parseInput(stdin);
  const pod = parsePodArguments(call.args);
  const read = readConfig(input, pod, call);
  if (!goesOn(call, input, read.config)) checkConfig(read);
  return { call, input, pod, ...read };
}

function goesOn({ command }: CniCall, input: object, { prevResult }: CniConfig): boolean {
  switch (command) {
    case "DEL":
    case "GC":
      return true;
    case "STATUS":
      return !hasKey(input, isVfKey);
    case "ADD":
    case "CHECK":
      return prevResult !== undefined && !hasKey(input, isVfKey);
    case "VERSION":
      return false;
  }
}

/** For whom a VF is: "pod shop/web-2 as net1". */
export function describePod({ call, pod }: Pick<Request, "call" | "pod">, interfaceName: string): string {
  const name =
    pod.pod === undefined
      ? `container ${call.containerId.slice(0, 12)}`
      : `pod ${pod.pod.namespace}/${pod.pod.name}`;
  return `${name} as ${interfaceName}`;
}
