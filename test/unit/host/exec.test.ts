// Programs run for real, with the shell as the program.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { createExec, type ExecRequest } from "../../../host/exec.ts";

const exec = createExec();
const PATH = "/usr/bin:/bin";

function shell(script: string, extra: Partial<ExecRequest> = {}): ExecRequest {
  return { command: "/bin/sh", args: ["-c", script], env: {}, stdin: "", timeoutMs: 10_000, ...extra };
}

describe("run", () => {
  it("gives exit code and both outputs; a non-zero exit is a result", async () => {
    expect(await exec.run(shell("echo out; echo err >&2; exit 3"))).toEqual({
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  it("passes stdin whole, and arguments without a shell", async () => {
    const text = "x".repeat(300_000);
    expect((await exec.run({ ...shell(""), command: "/bin/cat", args: [], stdin: text })).stdout).toBe(text);
    expect((await exec.run({ ...shell(""), command: "/bin/echo", args: ["$HOME; a  b"] })).stdout).toBe(
      "$HOME; a  b\n",
    );
  });

  it("is not bothered by a program that never reads its stdin", async () => {
    expect((await exec.run(shell("exit 0", { stdin: "x".repeat(1_000_000) }))).exitCode).toBe(0);
  });

  it.each([
    [undefined, ["CNI_COMMAND=ADD", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]],
    [{}, ["CNI_COMMAND=ADD"]],
    [
      { PATH, TRACEPARENT: "00-1-2-01", CNI_COMMAND: "DEL", BUN_OPTIONS: "--hot", NONE: undefined },
      ["CNI_COMMAND=ADD", `PATH=${PATH}`, "TRACEPARENT=00-1-2-01"],
    ],
  ])(
    "adds what it is told to the environment of its own, without BUN_*: %j",
    async (environment, expected) => {
      const { stdout } = await createExec("/", environment).run({
        ...shell(""),
        command: "/usr/bin/env",
        args: [],
        env: { CNI_COMMAND: "ADD", BUN_OPTIONS: "--hot" },
      });
      expect(stdout.trimEnd().split("\n").toSorted()).toEqual(expected);
    },
  );

  it("ends a program that takes too long, with its children", async () => {
    const script = "sleep 60 & echo $!; wait";
    const running = exec.run(shell(script, { timeoutMs: 200 }));
    await expect(running).rejects.toThrow("running /bin/sh: did not end within 200 ms");
  });

  it("takes the answer of a program that ended, though a child that it left behind holds the pipes open", async () => {
    const text = "x".repeat(200_000);
    const script = `sleep 5 & echo $!; head -c 200000 /dev/zero | tr "\\\\0" x; exit 3`;
    const before = performance.now();
    const { exitCode, stdout } = await exec.run(shell(script, { env: { PATH } }));
    expect(performance.now() - before).toBeLessThan(3000);
    const [pid = "", output] = stdout.split("\n");
    expect([exitCode, output]).toEqual([3, text]);
    // It is the program's own: a daemon that hands out addresses may be one.
    expect(() => process.kill(Number(pid), "SIGKILL")).not.toThrow();
  });

  it("waits no longer than the time-out, whoever went its own way with the pipes open", async () => {
    const folder = mkdtempSync(join(tmpdir(), "virtfn-exec-"));
    const script = `setsid sh -c 'echo $$ > ${folder}/pid; exec sleep 5' & exec sleep 5`;
    await expect(exec.run(shell(script, { timeoutMs: 300, env: { PATH } }))).rejects.toThrow(
      "did not end within 300 ms",
    );
    const pid = Number(readFileSync(`${folder}/pid`, "utf8"));
    expect(() => process.kill(pid, "SIGKILL")).not.toThrow();
    rmSync(folder, { recursive: true });
  });

  it("ends a program that floods its output", async () => {
    await expect(exec.run(shell("cat /dev/zero"))).rejects.toThrow("wrote more than 1048576 bytes to stdout");
    await expect(exec.run(shell("cat /dev/zero >&2"))).rejects.toThrow("to stderr");
  });

  it("names a program that cannot be started, and one that a signal ended", async () => {
    await expect(exec.run({ ...shell(""), command: "/none/host-local" })).rejects.toThrow(
      /^running \/none\/host-local: could not be started: .*ENOENT/,
    );
    await expect(exec.run(shell("echo broken >&2; kill -9 $$"))).rejects.toThrow(
      "was ended by SIGKILL: broken",
    );
  });

  it("hands no descriptor of ours to the child", async () => {
    const { stdout } = await exec.run(shell("ls -l /proc/self/fd"));
    expect(stdout).not.toContain(readFileSync("/proc/self/comm", "utf8").trim());
    expect(stdout.trim().split("\n")).toHaveLength(5);
  });
});
