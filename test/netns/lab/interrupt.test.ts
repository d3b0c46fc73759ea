// Ctrl-C while a lab starts: everything that it started is gone when it has ended.
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, test } from "vitest";
import { waitUntil } from "../../lab/wait-until.ts";

const entry = fileURLToPath(new URL("waiting-lab.ts", import.meta.url));

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s ends a start: no program is left, nor its namespace",
  async (signal) => {
    const dir = mkdtempSync(join(tmpdir(), "lab-"));
    try {
      const lab = execa(process.execPath, [entry, dir], { reject: false, stderr: "ignore" });
      const started = await waitUntil("the lab's programs", () => readPrograms(lab.pid), {
        timeoutMs: 20_000,
        intervalMs: 20,
      });
      lab.kill(signal);
      const { stdout, exitCode } = await lab;
      expect(stdout).toBe(`Error: interrupted by ${signal}`);
      expect(exitCode).toBe(130);
      expect(started.pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
      expect(existsSync(`/run/netns/${started.netns}`)).toBe(false);
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
);

/** The namespace of the lab of this process, and the programs in it once there are three. */
async function readPrograms(labPid: number | undefined) {
  const netns = readdirSync("/run/netns").find((name) => name.startsWith(`virtfn-lab-${labPid}-`));
  if (netns === undefined) throw new Error("no namespace");
  const { stdout } = await execa("ip", ["netns", "pids", netns]);
  const pids = stdout.split("\n").filter(Boolean);
  if (pids.length < 3) throw new Error(`${pids.length} programs`);
  return { netns, pids };
}
