// A CNI call, parsed: its environment, its configuration, and the pod it is for.

import { parseConfig, parseInput, type CniConfig } from "./config.ts";
import { ourKeys } from "./config-keys.ts";
import type { CniCall } from "./environment.ts";
import { parsePodArguments, type PodArguments } from "./pod-arguments.ts";

export interface Request {
  readonly call: CniCall;
  readonly config: CniConfig;
  readonly pod: PodArguments;
}

/** Reads stdin for `call`. Throws ERR_CNI_INPUT, ERR_CNI_VERSION, ERR_NETWORK_CONFIG. */
export function parseRequest(call: CniCall, stdin: string): Request {
  const input = parseInput(stdin);
  const pod = parsePodArguments(call.args, (key) => ourKeys.has(key.toLowerCase()));
  return { call, pod, config: parseConfig(input, pod) };
}
