// A CNI call as a value: environment and stdin in, exit code and output out. Only here errors become numbers of the CNI spec.

import { HostError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { NodeReader } from "../host/node-reader.ts";
import { SriovError } from "../sriov/errors.ts";
import { IpamError } from "../sriov/vf-errors.ts";
import { parseEnvironment, type CniCall } from "./environment.ts";
import { NotReadyError } from "./errors.ts";
import { defaultVersion, formatVersion, readVersion } from "./spoken-versions.ts";
import type { Environment } from "./variables.ts";

export interface CniProcess {
  readonly environment: Environment;
  /** Or why it could not be read. */
  readonly stdin: string | HostError;
}

export interface CniOutcome {
  readonly exitCode: number;
  /** One JSON object without a line end, or nothing. */
  readonly stdout: string;
  /** Lines for the runtime's log, or nothing. */
  readonly stderr: string;
}

type CreateHost = () => Host | Promise<Host>;

/**
 * Runs one call to its end; never throws. `createHost` is called only for verbs that touch the node, and for a STATUS that needs
 * more than `reader`.
 */
export async function runCni(
  process: CniProcess,
  createHost: CreateHost,
  reader?: NodeReader,
): Promise<CniOutcome> {
  const lines: string[] = [];
  const stdin = process.stdin instanceof HostError ? "" : process.stdin;
  try {
    const call = parseEnvironment(process.environment);
    if (process.stdin instanceof HostError && call.command !== "VERSION") throw process.stdin;
    const stdout = await runVerb(call, stdin, { createHost: withWordsOf(createHost, lines), reader }, lines);
    return { exitCode: 0, stdout, stderr: lines.join("\n") };
  } catch (error) {
    const isDel = process.environment["CNI_COMMAND"] === "DEL";
    const render = isDel ? (await import("./del-words.ts")).withoutSuccessWords : String;
    return { exitCode: 1, stdout: formatError(error, stdin, render), stderr: lines.join("\n") };
  }
}

/** What the programs of the host say on stderr is handed on, as it came. Source: CNI spec 1.1.0, section 4, "Delegated Plugin Execution". */
function withWordsOf(createHost: CreateHost, lines: string[]): CreateHost {
  return async () => {
    const host = await createHost();
    const run: Host["exec"]["run"] = async (request) => {
      const result = await host.exec.run(request);
      if (result.stderr.trim() !== "") lines.push(result.stderr.trimEnd());
      return result;
    };
    return { ...host, exec: { run } };
  };
}

async function runVerb(
  call: CniCall,
  stdin: string,
  { createHost, reader }: { readonly createHost: CreateHost; readonly reader: NodeReader | undefined },
  lines: string[],
): Promise<string> {
  switch (call.command) {
    case "VERSION":
      return formatVersion(stdin);
    case "ADD":
    case "DEL": {
      const [{ runPodVerb }, host] = await Promise.all([import("./run-pod-verb.ts"), createHost()]);
      return await runPodVerb(host, call, stdin, lines);
    }
    case "CHECK": {
      const [{ check }, host] = await Promise.all([import("./check.ts"), createHost()]);
      await check(host, call, stdin);
      return "";
    }
    case "GC": {
      const [{ collectGarbage }, host] = await Promise.all([import("./gc.ts"), createHost()]);
      await collectGarbage(host, call, stdin, lines);
      return "";
    }
    case "STATUS": {
      const { checkStatus } = await import("./status.ts");
      await checkStatus({ createHost, reader }, call, stdin, lines);
      return "";
    }
  }
}

// Source: CNI spec 1.0.0, "Error" and "VERSION"; 100 and up are a plugin's own.
const numbers: Readonly<Record<string, number>> = {
  ERR_CNI_VERSION: 1,
  ERR_CNI_UNKNOWN_CONTAINER: 3,
  ERR_CNI_ENVIRONMENT: 4,
  ERR_NETLINK: 5,
  ERR_SYSTEM_CALL: 5,
  ERR_CNI_INPUT: 6,
  ERR_NETWORK_CONFIG: 7,
  ERR_PCI_ADDRESS: 7,
  ERR_NOT_ALLOCATED: 7,
  ERR_PF_NOT_ALLOWED: 7,
  ERR_VF_NODE_USE: 7,
  ERR_CNI_SECOND_ENTRY: 7,
  ERR_CNI_NETNS: 8,
  ERR_VF_BUSY: 11,
  ERR_VF_MAC_TAKEN: 11,
  ERR_LOCK_TIMEOUT: 11,
  ERR_CNI_KUBELET: 11,
  ERR_LIMITS_UNKNOWN: 11,
  ERR_CNI_CHECK: 105,
  ERR_VF_CARRIER: 107,
  ERR_VF_STEP: 102,
  ERR_VF_UNSUPPORTED: 102,
  ERR_VF_READ_BACK: 102,
  ERR_VF_RESET: 102,
  ERR_VF_PROGRAM: 102,
  ERR_LINK_SIZES: 102,
  ERR_VF_MISSING: 103,
  ERR_IPAM: 104,
  ERR_PROVISION: 106,
  ERR_DRIVER: 108,
};
const otherNumber = 101;
const tryAgainLater = 11;
/** STATUS: no new pods; and with `limited`, those that run have lost something too, as a delegate says. */
const notReady = 50;
const limited = 51;

function formatError(error: unknown, stdin: string, render: (text: string) => string): string {
  const code = error instanceof SriovError || error instanceof HostError ? error.code : "ERR_UNEXPECTED";
  const text = error instanceof Error ? error.message : String(error);
  return JSON.stringify({
    cniVersion: readVersion(stdin) ?? defaultVersion,
    code: numberOf(error),
    msg: render(`${code}: ${text}`),
    details: render(describeCauses(error)),
  });
}

// Of what failed, or of what that came from: a release that could not be finished is as retriable as its reason.
function numberOf(error: unknown): number {
  const causes = listCauses(error);
  const delegated = causes.find((cause) => cause instanceof IpamError)?.delegateCode;
  if (error instanceof NotReadyError) return delegated === limited ? limited : notReady;
  if (delegated === tryAgainLater) return tryAgainLater;
  return causes.map(({ name }) => numbers[name]).find((number) => number !== undefined) ?? otherNumber;
}

function describeCauses(error: unknown): string {
  const [, ...causes] = listCauses(error);
  return causes.map((cause) => `${cause.name}: ${cause.message}`).join("; ");
}

function listCauses(error: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let cause = error; cause instanceof Error && found.length < 8; cause = cause.cause) found.push(cause);
  return found;
}
