// Who is taken to have undone a pin, by what the node shows.

import { expect, test } from "vitest";

import { guessOpponent } from "../../../tuning/opponent.ts";
import { createFakeHost } from "../../support/fake-host.ts";
import { formatHostStatus } from "../../support/fake-irqbalance.ts";
import { type FolderPlan, writeFolder } from "../../support/fixture-folder.ts";

const irqbalance: FolderPlan = {
  "proc/812/comm": "irqbalance",
  "proc/812/status": formatHostStatus(812),
  "proc/813/comm": "bash",
};
const rule: FolderPlan = {
  "etc/udev/rules.d/60-rps.rules":
    'SUBSYSTEM=="net", RUN+="/bin/sh -c \'echo 3 > /proc/irq/40/smp_affinity\'"',
  "usr/lib/udev/rules.d/50-other.rules": 'SUBSYSTEM=="net", NAME="x"',
};
const link: FolderPlan = {
  "run/systemd/network/10-nic.link": "[Match]\nDriver=iavf\n\n[Link]\nIRQAffinityPolicy=spread\n",
};
const dropIn: FolderPlan = {
  "etc/systemd/network/99-default.link.d/irq.conf": "[Link]\nIRQAffinityPolicy = single\n",
};
const otherLinks: FolderPlan = {
  "etc/systemd/network/10-nic.link": "[Link]\n#IRQAffinityPolicy=spread\nRxBufferSize=max\n",
  "etc/systemd/network/20-nic.link.d": "",
  "etc/systemd/network/10-nic.link.old": "[Link]\nIRQAffinityPolicy=spread\n",
};
const hint: FolderPlan = { "proc/irq/40/affinity_hint": "00000000,00000008" };
const noHint: FolderPlan = { "proc/irq/40/affinity_hint": "00000000,00000000" };

test.each<[string, FolderPlan, readonly number[], string]>([
  ["nothing", {}, [3], "unknown"],
  ["an empty hint", noHint, [], "unknown"],
  ["irqbalance", irqbalance, [3], "irqbalance"],
  ["a rule", rule, [3], "udev"],
  ["a .link file with a policy", link, [3], "udev"],
  ["a policy in a drop-in of a .link file", dropIn, [3], "udev"],
  ["a .link file without a policy", otherLinks, [3], "unknown"],
  ["irqbalance and a rule", { ...irqbalance, ...rule }, [3], "irqbalance"],
  ["the driver's hint", { ...irqbalance, ...hint }, [3], "driver"],
  ["another hint", { ...irqbalance, ...hint }, [2], "irqbalance"],
])("with %s", (_, plan, affinity, expected) => {
  using fake = createFakeHost();
  writeFolder(fake.root, plan);
  expect(guessOpponent(fake.host, { irq: 40, affinity })).toBe(expected);
});
