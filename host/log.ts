// Logs of the daemons: one JSON object a line on stdout, a constant sentence as message, what it is about in fields.
import { pino, type Logger } from "pino";

/** A logger; pass `log.child({...})` on to what works on one thing. Fields: pf, vf, pciAddress, pod, namespace, containerId, resource. */
export type Log = Logger;

/** The levels, least urgent first, as `--log-level` takes them. */
export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof logLevels)[number];

/** The root logger of a program: time in ISO form, level by name, errors with code, message, stack and cause. */
export function createLog(program: string, level: LogLevel = "info"): Log {
  return pino({
    level,
    base: { program, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.errWithCause },
  });
}
