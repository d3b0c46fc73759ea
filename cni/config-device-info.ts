// Where the attachment's device-info file is to be, as Multus says it in runtimeConfig.

import { parseCniDeviceInfoPath } from "../sriov/cni-device-info.ts";
import { isGiven } from "../sriov/config-object.ts";
import { describeValue, type ConfigProblem } from "../sriov/config-problems.ts";
import type { CniCall } from "./environment.ts";

/** The attachment that a call is about. */
export type Attachee = Pick<CniCall, "command" | "containerId" | "ifName">;

/** The file's name, and what is wrong with `value`; neither for a verb that is about no attachment. */
export function readDeviceInfoFile(
  value: unknown,
  call: Attachee | undefined,
): { readonly name: string | undefined; readonly problems: readonly ConfigProblem[] } {
  const isForUs = call?.command === "ADD" || call?.command === "DEL";
  if (!isForUs || !isGiven(value)) return { name: undefined, problems: [] };
  const name = typeof value === "string" ? parseCniDeviceInfoPath(value, call) : undefined;
  if (name !== undefined) return { name, problems: [] };
  const own = `/var/run/k8s.cni.cncf.io/devinfo/cni/NETWORK-${call.containerId}_${call.ifName}`;
  return {
    name,
    problems: [describeValue("runtimeConfig.CNIDeviceInfoFile", `a file of this attachment (${own})`, value)],
  };
}
