// CNI calls by hand on the lab's node: the installed executable with exactly this environment and this stdin, as a runtime calls it.
import { quote, type ScriptResult } from "./node-scripts.ts";

export interface NodeCall {
  readonly command: string;
  readonly config: object;
  readonly containerId?: string;
  readonly netns?: string;
  readonly ifName?: string;
  readonly args?: string;
}

export interface NodeAnswer {
  readonly exitCode: number;
  /** stdout parsed; undefined when it is empty. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

const executable = "/opt/cni/bin/virtfn";

/** The script that makes the call. Unset variables are there and empty, as containerd has them. */
export function formatCall({
  command,
  config,
  containerId = "",
  netns = "",
  ifName = "",
  args = "",
}: NodeCall): string {
  const environment = {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    CNI_COMMAND: command,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_IFNAME: ifName,
    CNI_ARGS: args,
    CNI_PATH: "/opt/cni/bin",
  };
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quote(value)}`);
  return `printf %s ${quote(JSON.stringify(config))} | env -i ${variables.join(" ")} ${executable}`;
}

/** What the call answered. */
export function readAnswer({ exitCode, stdout }: ScriptResult): NodeAnswer {
  return { exitCode, json: stdout === "" ? undefined : (JSON.parse(stdout) as NodeAnswer["json"]) };
}

/** What a successful ADD answered. Throws with the CNI plugin's error. */
export function readAdded(result: ScriptResult | undefined): Readonly<Record<string, unknown>> {
  const { exitCode, json } = result === undefined ? { exitCode: -1, json: undefined } : readAnswer(result);
  if (exitCode !== 0 || json === undefined) throw new Error(`ADD: ${JSON.stringify(json)}`);
  return json;
}

/** The call's code: 0 for success without an answer, otherwise that of its error. */
export function codeOf(result: ScriptResult | undefined): unknown {
  if (result === undefined) return "no result";
  const { exitCode, json } = readAnswer(result);
  return exitCode === 0 && json === undefined ? 0 : (json?.["code"] ?? json);
}
