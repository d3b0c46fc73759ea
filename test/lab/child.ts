// A long-running program of the lab: in the lab's network namespace, logging to a file, killed with the process that started it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { boundTo } from "./bound-command.ts";
import { inNetns } from "./cluster/network.ts";

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly netns: string;
  readonly logFile: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles as `work` does; rejects at once, with the end of the log, when the program ends before. */
  whileRunning<T>(work: Promise<T>): Promise<T>;
  /** Kills the program and waits for its end; fine when it has ended already. */
  kill(): Promise<void>;
}

/** Starts the program in a session of its own (a terminal's Ctrl-C does not reach it), to be killed by the kernel when this thread ends. */
export function startChild(options: ChildOptions): Child {
  const log = openSync(options.logFile, "a");
  const inside = inNetns(options.netns, options.command, options.args);
  const [command, ...args] = boundTo(process.pid, inside);
  // The log's descriptor is handed over as it is: nothing of this process is in the way of what the program writes.
  const running = spawn(command, args, { stdio: ["ignore", log, log], detached: true });
  closeSync(log);
  const exit = once(running, "exit");
  const { pid } = running;
  if (pid === undefined)
    throw new Error(`cannot start ${options.name}: no process id for ${[command, ...args].join(" ")}`);
  const ended = exit.then(([exitCode, signal]): never => {
    const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
    throw new Error(`${options.name} ended with ${how}; ${logTail(options.logFile)}`);
  });
  ended.catch(() => {});
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    async whileRunning(work) {
      return await Promise.race([work, ended]);
    },
    async kill() {
      running.kill("SIGKILL");
      await exit;
    },
  };
}

/** The last lines of a log, named, for an error message. */
function logTail(logFile: string, lines = 15): string {
  const text = readFileSync(logFile, "utf8").trimEnd();
  return `the end of ${logFile}:\n${text.split("\n").slice(-lines).join("\n")}`;
}
