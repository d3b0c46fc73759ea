// What the runtime asks for, as its environment says it.

import { EnvironmentError } from "./errors.ts";
import { commands, describeVariable, findProblems, type Command, type Environment } from "./variables.ts";

/** What the runtime asks for. `netns` is "" where the verb allows that; `args` and `path` are "" when not given. */
export interface CniCall {
  readonly command: Command;
  readonly containerId: string;
  readonly netns: string;
  readonly ifName: string;
  readonly args: string;
  readonly path: string;
  /** DEL: whether CNI_NETNS may be the namespace that the plugin itself runs in. */
  readonly mayBeOwnNetns: boolean;
}

/** The call that the environment describes. Throws ERR_CNI_ENVIRONMENT naming every variable that is missing or wrong. */
export function parseEnvironment(environment: Environment): CniCall {
  const command = commands.find((known) => known === environment["CNI_COMMAND"]);
  if (command === undefined)
    throw new EnvironmentError([
      describeVariable("CNI_COMMAND", `one of ${commands.join(", ")}`, environment["CNI_COMMAND"]),
    ]);
  if (isWithoutPod(command)) return { ...withoutPod, command, path: environment["CNI_PATH"] ?? "" };
  const problems = findProblems(command, environment);
  if (problems.length > 0) throw new EnvironmentError(problems);
  return {
    command,
    containerId: environment["CNI_CONTAINERID"] ?? "",
    netns: environment["CNI_NETNS"] ?? "",
    ifName: environment["CNI_IFNAME"] ?? "",
    args: environment["CNI_ARGS"] ?? "",
    path: environment["CNI_PATH"] ?? "",
    mayBeOwnNetns: /^(?:1|true)$/i.test(environment["CNI_NETNS_OVERRIDE"] ?? ""),
  };
}

const withoutPod = { containerId: "", netns: "", ifName: "", args: "", mayBeOwnNetns: false };

// containerd calls STATUS with the pod's variables present but empty; libcni calls VERSION with "dummy" in them.
function isWithoutPod(command: Command): boolean {
  return command === "GC" || command === "STATUS" || command === "VERSION";
}
