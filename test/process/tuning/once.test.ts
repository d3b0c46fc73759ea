// The one-time commands of `virtfn tuning` as processes.

import { expect, test } from "vitest";

import { writeContestedPins } from "../../../sriov/contested-pins.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { writeFolder } from "../../support/fixture-folder.ts";
import { TuningMachine } from "../../support/tuning-process.ts";

test("a dry run prints the plan and changes nothing", async () => {
  using machine = new TuningMachine();
  machine.attach(0, "web-1");
  const { output, exitCode } = await machine.start("--once", "--dry-run").result();
  expect(output.replaceAll(/ +$/gm, "")).toMatchInlineSnapshot(`
    "VF            POD         INTERFACE  IRQ  WHAT   NOW   EFFECTIVE  COUNT  PER S  CAME ON  TO  STEP
    0000:01:10.0  shop/web-1  net1       42   tx 0   0-15  0          0      0               0   pin
    0000:01:10.0  shop/web-1  net1       43   rx 0   0-15  0          0      0               2   pin
    0000:01:10.0  shop/web-1  net1       44   other  0-15  0          0      0                   leave
    0000:01:10.0: policy numa-spread (default), CPUs 0-3,8-11
      not 4-7,12-15: on NUMA node 1
    "
  `);
  expect(exitCode).toBe(0);
  expect(machine.irqWrites()).toEqual([]);
  expect(machine.affinities(0)).toBe("0-15 0-15 0-15");
});

test("a dry run tells of a pin whose interrupt the hardware sends elsewhere", async () => {
  using machine = new TuningMachine();
  machine.attach(0, "web-1");
  await machine.start("--once").result();
  const [tx, rx] = machine.irqs();
  writeFolder(machine.root, {
    [`proc/irq/${tx}/effective_affinity_list`]: "0",
    [`proc/irq/${rx}/effective_affinity_list`]: "5",
  });
  const { output } = await machine.start("--once", "--dry-run").result();
  expect(output.match(/.*is pinned to.*/g)).toEqual([
    `0000:01:10.0: IRQ ${rx} is pinned to CPU 2, and comes on CPU 5`,
  ]);
});

test("a dry run for programs says for each vector what it is, where it is and where it shall be", async () => {
  using machine = new TuningMachine();
  machine.attach(0, "web-1");
  const { output } = await machine.start("--once", "--dry-run", "--json").result();
  const report = JSON.parse(output) as { vfs: { pod: string; vectors: object[] }[] };
  expect(report.vfs[0]?.pod).toBe("shop/web-1");
  expect(report.vfs[0]?.vectors).toMatchObject([
    { msiIndex: 0, role: "tx 0", affinity: "0-15", cpu: 0, step: "pin" },
    { msiIndex: 1, role: "rx 0", affinity: "0-15", cpu: 2, step: "pin" },
    { msiIndex: 2, role: "other", affinity: "0-15", step: "leave" },
  ]);
});

test("a pin that the daemon left to rest is told, and rests in another pass too", async () => {
  using machine = new TuningMachine();
  machine.attach(0, "web-1");
  await machine.start("--once").result();
  machine.setAffinity(0, 1, "8");
  const contested = { vf: parsePciAddress("0000:01:10.0"), msiIndex: 1, by: "irqbalance" } as const;
  const rest = { undone: 4, restSeconds: 60, restsUntil: new Date(Date.now() + 60_000).toISOString() };
  writeContestedPins(machine.tree.host, [{ ...contested, ...rest }]);
  const { output } = await machine.start("--once", "--dry-run").result();
  expect(output).toMatch(/ rx 0 .* 2 +contested$/m);
  expect(output).toContain(
    "0000:01:10.0 vector 1: CONTESTED, its pin was undone 4 times, maybe by irqbalance",
  );
  await machine.start("--once").result();
  expect(machine.affinities(0)).toBe("0 8 0-15");
});

test("--restore puts back what one pass changed, while the pod still has the VF", async () => {
  using machine = new TuningMachine();
  machine.attach(0, "web-1");
  expect((await machine.start("--once").result()).exitCode).toBe(0);
  expect(machine.affinities(0)).toBe("0 2 0-15");
  const { output, exitCode } = await machine.start("--restore").result();
  expect(exitCode).toBe(0);
  expect(output).toContain("restored, 2 values written back");
  expect(machine.affinities(0)).toBe("0-15 0-15 0-15");
  expect((await machine.start("--restore").result()).output).toBe("tuning has changed nothing\n");
});
