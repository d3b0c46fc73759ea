// What a call says of itself: one line for its end, more where the configuration's logLevel asks for it; on stderr, and in logFile.

import type { Host } from "../host/host.ts";
import type { ConfigProblem } from "../sriov/config-problems.ts";
import { keptMessage, type KeptSetting } from "../sriov/kept-settings.ts";
import type { RateRefusedError } from "../sriov/vf-errors.ts";
import type { LogLevel } from "./config-entries.ts";
import type { Request } from "./request.ts";

export interface CallLog {
  /** A line `time=... level=... msg=...` when the level is wanted. Fields that are undefined are left out. */
  add(level: LogLevel, message: string, fields?: Fields): void;
  /** Hands the lines over, once, at the end of the call: a file that cannot be written is one more line, never a failed call. */
  write(): void;
}

/** Where what is noticed on the way is told. */
export type Notices = Pick<CallLog, "add">;

type Fields = Readonly<Record<string, string | undefined>>;

// Most urgent first, as sriov-cni orders them.
const levels: readonly LogLevel[] = ["panic", "fatal", "error", "warning", "info", "debug", "verbose"];

/** The log of a call; `stderr` gets its lines. */
export function createCallLog(
  host: Pick<Host, "files" | "paths" | "clock">,
  { call, config, pod }: Request,
  stderr: string[],
): CallLog {
  const lines: string[] = [];
  const about = {
    containerId: call.containerId,
    attachment: call.ifName,
    network: config.name,
    namespace: pod.values["K8S_POD_NAMESPACE"],
    pod: pod.values["K8S_POD_NAME"],
  };
  const add: CallLog["add"] = (level, message, fields = {}) => {
    if (levels.indexOf(level) > levels.indexOf(config.logLevel)) return;
    const time = new Date(host.clock.nowMs()).toISOString();
    lines.push(formatFields({ time, level, msg: message, ...about, ...fields }));
  };
  return {
    add,
    write: () => {
      if (config.logFile !== undefined && lines.length > 0) {
        try {
          host.files.appendLog(host.paths.logs, config.logFile, `${lines.join("\n")}\n`);
        } catch (error) {
          add("error", "the log file is not written", { error: String(error) });
        }
      }
      stderr.push(...lines);
    },
  };
}

/** "a=b c=\"d e\"": values with anything but plain characters are JSON texts, so that nobody can forge a line. */
function formatFields(fields: Fields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value = ""]) => `${key}=${quote(value)}`)
    .join(" ");
}

function quote(value: string): string {
  if (/^[\w.:/@+-]+$/.test(value)) return value;
  return JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Tells of a record that nobody could read: what it said of its pod is lost with it. */
export function tellSetAside(log: Notices, pciAddress: string, reason: string): void {
  log.add("warning", "a record could not be read, and was set aside", { pciAddress, reason });
}

/** Tells of what is wrong in a configuration and did not keep the call from its work. */
export function tellPassedOver(log: Notices, problems: readonly ConfigProblem[]): void {
  for (const problem of problems) log.add("warning", "passed over in the configuration", { problem });
}

/** Tells of a rate that could not be put back yet, which the VF's record is kept for. */
export function tellOwed(log: Notices, pciAddress: string, { expected, got }: RateRefusedError): void {
  const message =
    "the VF keeps the rate of the pod, as its PF has no link: it is put back when there is one, and no other pod gets the VF before";
  log.add("warning", message, { pciAddress, expected, got });
}

/** Tells of what a VF keeps of a pod, a line each. */
export function tellKept(log: Notices, pciAddress: string, kept: readonly KeptSetting[]): void {
  for (const setting of kept) log.add("warning", keptMessage, { pciAddress, ...setting });
}
