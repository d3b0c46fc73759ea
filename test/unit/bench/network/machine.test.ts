// Tests test/bench/network/machine.ts on a folder in the place of /sys and /proc: a figure is worth nothing without these.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { isIrqbalanceActive, readMachine } from "../../../bench/network/machine.ts";
import type { Command } from "../../../bench/network/step.ts";
import { writeFolder } from "../../../support/fixture-folder.ts";

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "virtfn-machine-"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const printed: Readonly<Record<string, string>> = {
  "ethtool -i ens1f0":
    "driver: ice\nversion: 6.12.0\nfirmware-version: 4.40 0x8001c967 1.3534.0\nbus-info: x\n",
  "ethtool -k ens1f0": "Features for ens1f0:\nrx-checksumming: on\ntx-gso-partial: off [fixed]\ngro: on\n",
  "ethtool -g ens1f0":
    "Ring parameters:\nPre-set maximums:\nRX:\t\t8160\nCurrent hardware settings:\nRX:\t\t2048\nTX:\t\t256\n",
  "ethtool -l ens1f0": "Pre-set maximums:\nCombined:\t64\nCurrent hardware settings:\nCombined:\t16\n",
  "netperf -V": "Netperf version 2.7.1\n",
};

async function run({ argv }: Command): Promise<string> {
  const text = printed[argv.join(" ")];
  if (text === undefined) throw new Error(`no ${argv.join(" ")}`);
  return text;
}

async function runNothing(): Promise<string> {
  throw new Error("no such program");
}

test("kernel, NIC, driver and firmware, governor, mitigations, SMT, NUMA, offloads, rings and channels", async () => {
  const cpu = "sys/devices/system/cpu";
  writeFolder(root, {
    [`${cpu}/cpu0/cpufreq/scaling_governor`]: "performance",
    [`${cpu}/smt/control`]: "on",
    [`${cpu}/isolated`]: "",
    [`${cpu}/vulnerabilities/meltdown`]: "Not affected",
    [`${cpu}/vulnerabilities/spectre_v2`]: "Mitigation: Enhanced IBRS",
    [`${cpu}/vulnerabilities/mmio_stale_data`]: "Vulnerable",
    "sys/devices/system/node/online": "0-1",
    "sys/devices/pci0000:3a/0000:3b:00.0/vendor": "0x8086",
    "sys/devices/pci0000:3a/0000:3b:00.0/device": "0x1592",
    "sys/devices/pci0000:3a/0000:3b:00.0/numa_node": "1",
    "sys/class/net/ens1f0/speed": "100000",
    "proc/cmdline": "root=/dev/sda1 password=secret mitigations=auto isolcpus=2-3 quiet",
  });
  fs.symlinkSync("../../../devices/pci0000:3a/0000:3b:00.0", join(root, "sys/class/net/ens1f0/device"));
  const { kernel, CPUs, ...facts } = await readMachine(run, "ens1f0", root);
  expect([kernel, CPUs]).toEqual([expect.stringMatching(/^\d+\.\d+/), expect.stringMatching(/^\d+ of ./)]);
  expect(facts).toEqual({
    interface: "ens1f0",
    NIC: "8086:1592 at 0000:3b:00.0",
    "NIC's NUMA node": "1",
    link: "100000 Mbit/s",
    driver: "ice",
    "driver version": "6.12.0",
    firmware: "4.40 0x8001c967 1.3534.0",
    "frequency governor": "performance",
    SMT: "on",
    "NUMA nodes": "0-1",
    mitigations: "mmio_stale_data: Vulnerable; spectre_v2: Mitigation: Enhanced IBRS",
    "of the kernel's command line": "mitigations=auto isolcpus=2-3",
    "offloads that are on": "rx-checksumming gro",
    rings: "RX 2048, TX 256",
    channels: "Combined 16",
    netperf: "Netperf version 2.7.1",
  });
});

test("what the machine does not tell is missing", async () => {
  writeFolder(root, { "sys/class/net/ens1f0/speed": "-1", "proc/cmdline": "quiet" });
  const { kernel: _kernel, CPUs: _cpus, ...facts } = await readMachine(runNothing, "ens1f0", root);
  expect(facts).toEqual({ interface: "ens1f0" });
});

test.each([
  ["active\n", true],
  ["inactive\n", false],
])("irqbalance of which systemd says %j: %s", async (text, isActive) => {
  expect(await isIrqbalanceActive(async () => text)).toBe(isActive);
});
