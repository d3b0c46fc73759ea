// Benches as small as they can be: the figures, of whatever size, are the one thing on stdout, one JSON object, which --out keeps as a file.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

const isFigure = expect.any(Number);
const goalsOfCni = [
  "VERSION, over an empty executable",
  "chained ADD of a pod without a VF, over an empty executable",
  "STATUS, over an empty executable",
  "ADD that fails: MAC refused",
  "ADD that fails: no address left",
].map((call) => ({ call, p50Ms: isFigure, p95Ms: isFigure, goalMs: isFigure }));

const compared = Object.fromEntries(
  ["virtfn", "per-device spread", "random", "greedy", "rebuild", "irqbalance (model)"].map((name) => [
    name,
    { coreLoad: { worst: isFigure }, movesPerEvent: isFigure, msPerEvent: { median: isFigure } },
  ]),
);

test.each<[string, readonly string[], object]>([
  [
    "placement",
    ["--events", "3"],
    {
      scenarios: Array.from({ length: 7 }, () => ({ excess: { loads: 0, moves: 0 }, strategies: compared })),
    },
  ],
  ["metrics", ["--vfs", "4", "--rounds", "1"], {}],
  [
    "cni",
    ["--native", "--rounds", "1", "--calls", "1", "--concurrency", "1"],
    { goals: goalsOfCni, native: { overFloor: [{ concurrency: 1, insideMs: isFigure }], left: [] } },
  ],
  [
    "deviceplugin",
    ["--vfs", "4", "--rounds", "1", "--idle-seconds", "0"],
    { measured: [{ vfs: 4, startMs: { samples: 1 } }] },
  ],
  [
    "tuning",
    ["--vfs", "4", "--seconds", "1", "--pods", "2"],
    {
      goals: { timeToPinMs: 100, lockHeldMs: 50 },
      measured: {
        pins: 8,
        idlePercent: isFigure,
        timeToPin: { samples: 2, p50Ms: isFigure, p99Ms: isFigure },
        lockHeld: { samples: 4, maxMs: isFigure },
      },
    },
  ],
])("bench:%s", async (name, args, expected) => {
  const out = mkdtempSync(join(tmpdir(), "virtfn-figures-"));
  try {
    const entry = join(root, "test/bench", name, "main.ts");
    const child = Bun.spawn([process.execPath, entry, "--json", "--out", out, ...args], {
      cwd: root,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect({ exitCode: await child.exited, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^\{[^\n]+\}\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      what: expect.any(String),
      machine: { cpus: isFigure },
      ...expected,
    });
    expect(readFileSync(join(out, `${name}.json`), "utf8")).toBe(stdout);
    expect(stderr).toContain("goal");
  } finally {
    rmSync(out, { recursive: true });
  }
});

test.each(["cni", "deviceplugin", "metrics", "placement", "tuning"])(
  "bench:%s --help names each flag once; a wrong flag or value is one error before anything is measured",
  (name) => {
    const help = run(name, ["--help"]);
    expect(help).toMatchObject({ exitCode: 0, stderr: "" });
    const flags = [...help.stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag]) => flag);
    expect(flags).toEqual(expect.arrayContaining(["json", "out", "help"]));
    expect(new Set(flags).size).toBe(flags.length);
    const ends = `bench:${name} --help tells more\n`;
    const value = flags.includes("rounds") ? "rounds" : flags.includes("pods") ? "pods" : "events";
    expect(run(name, [`--${value}`, "many"])).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `--${value}: expected a whole number, got "many"\n${ends}`,
    });
    const wrong = run(name, ["--vsf", "8"]);
    expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/^Unknown option '--vsf'/);
  },
);

function run(
  name: string,
  args: readonly string[],
): Record<"stdout" | "stderr", string> & { exitCode: number } {
  const entry = join(root, "test/bench", name, "main.ts");
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, entry, ...args], { cwd: root });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}
