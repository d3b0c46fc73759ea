// What a figure can't be read without: kernel, NIC, driver, firmware and the settings that change speed.

import { realpathSync } from "node:fs";
import { availableParallelism, cpus, release } from "node:os";
import { basename, join } from "node:path";

import { listIfThere, readIfThere } from "./kernel-files.ts";
import type { Run } from "./step.ts";

/** Names with what was found; what the machine doesn't tell is missing. */
export type MachineFacts = Readonly<Record<string, string>>;

const files = {
  "frequency governor": "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
  SMT: "sys/devices/system/cpu/smt/control",
  "NUMA nodes": "sys/devices/system/node/online",
  "isolated CPUs": "sys/devices/system/cpu/isolated",
} as const;

/** Words of the command line that change speed; others are nobody's business. */
const telling =
  /^(isolcpus|nohz|nohz_full|rcu_nocbs|irqaffinity|mitigations|nosmt|idle|\w*iommu|\w+_idle\.\w+)(=|$)/;
const vulnerabilities = "sys/devices/system/cpu/vulnerabilities";

/** Changes nothing. Offloads, rings and channels need ethtool(8). `root`: where /sys and /proc are. */
export async function readMachine(run: Run, pf: string, root = "/"): Promise<MachineFacts> {
  const read = (path: string): string => readIfThere(join(root, path));
  const facts: Record<string, string> = {
    kernel: release(),
    CPUs: `${availableParallelism()} of ${cpus()[0]?.model.trim() ?? "unknown"}`,
    interface: pf,
  };
  for (const [name, path] of Object.entries(files)) facts[name] = read(path);
  facts["mitigations"] = listIfThere(join(root, vulnerabilities))
    .map((name) => [name, read(join(vulnerabilities, name))] as const)
    .filter(([, state]) => state !== "" && state !== "Not affected")
    .map(([name, state]) => `${name}: ${state}`)
    .join("; ");
  const device = `sys/class/net/${pf}/device`;
  const ids = [read(`${device}/vendor`), read(`${device}/device`)].map((id) => id.replace(/^0x/, ""));
  if (ids.every((id) => id !== "")) facts["NIC"] = `${ids.join(":")} at ${nameOf(join(root, device))}`;
  facts["NIC's NUMA node"] = read(`${device}/numa_node`);
  const speed = Number(read(`sys/class/net/${pf}/speed`));
  if (speed > 0) facts["link"] = `${speed} Mbit/s`;
  const words = read("proc/cmdline").split(/\s+/);
  facts["of the kernel's command line"] = words.filter((word) => telling.test(word)).join(" ");
  const driver = await ask(run, ["ethtool", "-i", pf]);
  for (const [name, key] of [
    ["driver", "driver"],
    ["driver version", "version"],
    ["firmware", "firmware-version"],
  ] as const) {
    const value = new RegExp(`^${key}: *(.+)$`, "m").exec(driver)?.[1];
    if (value !== undefined) facts[name] = value;
  }
  facts["offloads that are on"] = [...(await ask(run, ["ethtool", "-k", pf])).matchAll(/^([\w-]+): on/gm)]
    .map(([, name]) => name)
    .join(" ");
  facts["rings"] = await askShort(run, ["ethtool", "-g", pf]);
  facts["channels"] = await askShort(run, ["ethtool", "-l", pf]);
  facts["netperf"] = (await ask(run, ["netperf", "-V"])).trim();
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ""));
}

/** Whether the machine's own irqbalance is running as a service. */
export async function isIrqbalanceActive(run: Run): Promise<boolean> {
  return (await ask(run, ["systemctl", "is-active", "irqbalance"])).trim() === "active";
}

function nameOf(path: string): string {
  return basename(realpathSync(path));
}

async function ask(run: Run, argv: readonly string[]): Promise<string> {
  return run({ argv }).catch(() => "");
}

// The settings in force, behind "Current hardware settings".
async function askShort(run: Run, argv: readonly string[]): Promise<string> {
  const [, current = ""] = (await ask(run, argv)).split("Current hardware settings:");
  const set = [...current.matchAll(/^([\w ]+):\s+(\d+)$/gm)];
  return set.map(([, name, value]) => `${name} ${value}`).join(", ");
}
