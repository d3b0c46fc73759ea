// `virtfn tuning` as a process, on a machine that is a folder.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

import { TuningMachine } from "../../support/tuning-process.ts";
import { beforeNextLookMs, waitFor } from "../../support/wait-for.ts";

/** Until the daemon has made its first pass: a Bun process takes its time on a busy machine. */
const startTimeoutMs = 20_000;

describe("the daemon", () => {
  test("pins a VF at once with its record, and puts it back when the record is gone", async () => {
    using machine = new TuningMachine();
    machine.attach(0, "web-1");
    await using _daemon = machine.start("--listen", "off");
    await machine.waitForAffinities(0, "0 2 0-15", startTimeoutMs);
    machine.attach(1, "web-2");
    await machine.waitForAffinities(1, "1 3 0-15", beforeNextLookMs);
    machine.detach(0);
    await machine.waitForAffinities(0, "0-15 0-15 0-15", beforeNextLookMs);
    expect(machine.affinities(1)).toBe("1 3 0-15");
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "leaves pins at %s, and takes them over without a write",
    async (signal) => {
      using machine = new TuningMachine();
      machine.attach(0, "web-1");
      await using first = machine.start("--listen", "off");
      await machine.waitForAffinities(0, "0 2 0-15", startTimeoutMs);
      expect(await first.end(signal)).toBe(signal === "SIGTERM" ? 0 : null);
      expect(machine.affinities(0)).toBe("0 2 0-15");
      const writes = machine.irqWrites();

      await using _second = machine.start("--listen", "off");
      machine.attach(1, "web-2");
      await machine.waitForAffinities(1, "1 3 0-15", startTimeoutMs);
      expect(machine.irqWrites().slice(writes.length)).toHaveLength(2);
      expect(machine.affinities(0)).toBe("0 2 0-15");
    },
  );

  test("restores what a pod left that went while no daemon ran", async () => {
    using machine = new TuningMachine();
    machine.attach(0, "web-1");
    await using first = machine.start("--listen", "off");
    await machine.waitForAffinities(0, "0 2 0-15", startTimeoutMs);
    await first.end("SIGKILL");
    machine.detach(0);
    await using _second = machine.start("--listen", "off");
    await machine.waitForAffinities(0, "0-15 0-15 0-15", startTimeoutMs);
    expect(machine.irqWrites()).toHaveLength(4);
  });

  test("puts a pin back that somebody moved, and goes off a CPU at once when it goes offline", async () => {
    using machine = new TuningMachine();
    machine.attach(0, "web-1");
    await using _daemon = machine.start("--listen", "off");
    await machine.waitForAffinities(0, "0 2 0-15", startTimeoutMs);
    machine.setAffinity(0, 1, "8");
    await machine.waitForAffinities(0, "0 2 0-15", beforeNextLookMs);
    machine.setOnline("0-1,3-15");
    await waitFor("another CPU", () => !machine.affinities(0).startsWith("0 2 "), beforeNextLookMs);
    machine.setOnline("0-15");
    expect(machine.affinities(0)).toMatch(/^0 \d+ 0-15$/);
  });

  test("is ready on a node without VFs in pods, and tells its metrics", async () => {
    using machine = new TuningMachine();
    const port = freePort();
    await using _daemon = machine.start("--listen", `127.0.0.1:${port}`);
    const get = async (path: string): Promise<string> =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        (answer) => answer.text(),
        () => "",
      );
    await waitFor("readiness", async () => (await get("/readyz")) === "ok\n", startTimeoutMs);
    machine.attach(0, "web-1");
    await machine.waitForAffinities(0, "0 2 0-15", beforeNextLookMs);
    const metrics = await get("/metrics");
    expect(metrics).toContain("virtfn_tuning_vfs 1\n");
    expect(metrics).toContain("virtfn_tuning_pinned_irqs 2\n");
    expect(metrics).toContain('virtfn_tuning_cpu_irqs{cpu="2"} 1\n');
    expect(metrics).toContain("virtfn_tuning_pins_total 2\n");
  });
});

test("it ends with 1 where the node's records were removed below its mount: what the next ADD writes it would never see", async () => {
  using machine = new TuningMachine();
  const [ofNode, mounted] = [join(machine.root, "of-node"), join(machine.root, "var/lib/virtfn")];
  for (const folder of [ofNode, mounted]) fs.mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["--bind", ofNode, mounted]);
  try {
    machine.attach(0, "web-1");
    await using daemon = machine.start("--listen", "off");
    await machine.waitForAffinities(0, "0 2 0-15", startTimeoutMs);
    fs.rmSync(ofNode, { recursive: true });
    const { output, exitCode } = await daemon.result();
    expect([exitCode, output]).toEqual([1, expect.stringContaining("ERR_FOLDER_REMOVED")]);
  } finally {
    execFileSync("umount", ["--lazy", mounted]);
  }
});

test("one pass beside the daemon does no harm: both end in the same state", async () => {
  using machine = new TuningMachine();
  await using _daemon = machine.start("--listen", "off");
  for (const vf of [0, 1, 2, 3]) machine.attach(vf, `web-${vf}`);
  const passes = [machine.start("--once", "--json"), machine.start("--once", "--json")];
  for (const pass of passes) expect((await pass.result()).exitCode).toBe(0);
  const pins = [0, 1, 2, 3].flatMap((vf) => machine.affinities(vf).split(" ").slice(0, 2));
  expect(pins.toSorted((a, b) => Number(a) - Number(b))).toEqual(["0", "1", "2", "3", "8", "9", "10", "11"]);
  for (const vf of [0, 1, 2, 3]) machine.detach(vf);
  for (const vf of [0, 1, 2, 3]) await machine.waitForAffinities(vf, "0-15 0-15 0-15", startTimeoutMs);
});

function freePort(): number {
  using server = {
    server: Bun.serve({ port: 0, fetch: () => new Response() }),
    [Symbol.dispose]() {
      void this.server.stop(true);
    },
  };
  return server.server.port ?? 0;
}
