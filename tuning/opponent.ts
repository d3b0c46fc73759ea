// Who may have undone a pin, by what the node shows: a guess for people, nothing is decided by it.

import { join } from "node:path";

import { SystemCallError } from "../host/errors.ts";
import type { Host } from "../host/host.ts";
import type { Opponent } from "../sriov/contested-pins.ts";
import { parseCpuMask } from "../sriov/cpu-mask.ts";
import { listIrqBalance } from "./irqbalance/process.ts";
import type { Vector } from "../sriov/vectors.ts";

type Eyes = Pick<Host, "files" | "paths">;

/** Where rules of udev lie on the host. Source: udev(7), rules files. */
const rulesFolders = ["etc/udev/rules.d", "run/udev/rules.d", "usr/lib/udev/rules.d", "lib/udev/rules.d"];

/**
 * `driver` where the interrupt is just where its driver's hint says, which drivers set again when the link goes up;
 * `irqbalance` where it runs; `udev` where a rule names smp_affinity. Source: Documentation/core-api/irq/irq-affinity.rst.
 */
export function guessOpponent(host: Eyes, { irq, affinity }: Pick<Vector, "irq" | "affinity">): Opponent {
  const hint = parseCpuMask(read(host, join(host.paths.proc, "irq", `${irq}`, "affinity_hint")) || "0");
  if (hint.length > 0 && hint.join() === affinity?.join()) return "driver";
  if (listIrqBalance(host).length > 0) return "irqbalance";
  return hasAffinityRule(host) ? "udev" : "unknown";
}

function hasAffinityRule(host: Eyes): boolean {
  return rulesFolders.some((folder) => {
    const path = join(host.paths.hostRoot, folder);
    const rules = (host.files.list(path) ?? []).filter((name) => name.endsWith(".rules"));
    return rules.some((name) => read(host, join(path, name)).includes("smp_affinity"));
  });
}

// What can't be read tells nothing.
function read({ files }: Eyes, path: string): string {
  try {
    return files.readText(path)?.trim() ?? "";
  } catch (error) {
    if (error instanceof SystemCallError) return "";
    throw error;
  }
}
