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

/** Where .link files lie on the host, with drop-ins beside them. Source: systemd.link(5). */
const linkFolders = ["etc", "run", "usr/local/lib", "usr/lib", "lib"].map((top) => `${top}/systemd/network`);

/**
 * `driver` where the interrupt is just where its driver's hint says, which drivers set again when the link goes up;
 * `irqbalance` where it runs; `udev` where a rule of it names smp_affinity, or a .link file a policy. Source: Documentation/core-api/irq/irq-affinity.rst.
 */
export function guessOpponent(host: Eyes, { irq, affinity }: Pick<Vector, "irq" | "affinity">): Opponent {
  const hint = parseCpuMask(read(host, join(host.paths.proc, "irq", `${irq}`, "affinity_hint")) || "0");
  if (hint.length > 0 && hint.join() === affinity?.join()) return "driver";
  if (listIrqBalance(host).length > 0) return "irqbalance";
  return hasAffinityRule(host) || hasAffinityLink(host) ? "udev" : "unknown";
}

function hasAffinityRule(host: Eyes): boolean {
  return rulesFolders
    .flatMap((folder) => listEndingOn(host, join(host.paths.hostRoot, folder), ".rules"))
    .some((path) => read(host, path).includes("smp_affinity"));
}

function hasAffinityLink(host: Eyes): boolean {
  const folders = linkFolders.map((folder) => join(host.paths.hostRoot, folder));
  const dropIns = folders.flatMap((folder) => listEndingOn(host, folder, ".link.d"));
  return [
    ...folders.flatMap((folder) => listEndingOn(host, folder, ".link")),
    ...dropIns.flatMap((folder) => listEndingOn(host, folder, ".conf")),
  ].some((path) => /^\s*IRQAffinityPolicy\s*=/m.test(read(host, path)));
}

function listEndingOn({ files }: Eyes, folder: string, end: string): readonly string[] {
  const names = attempt(() => files.list(folder)) ?? [];
  return names.filter((name) => name.endsWith(end)).map((name) => join(folder, name));
}

function read({ files }: Eyes, path: string): string {
  return attempt(() => files.readText(path)?.trim()) ?? "";
}

// What can't be read tells nothing.
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}
