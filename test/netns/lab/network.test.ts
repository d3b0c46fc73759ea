// The lab's own network namespace and the programs in it, on the real kernel.
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, test } from "vitest";
import { boundTo } from "../../lab/bound-command.ts";
import { startChild } from "../../lab/child.ts";
import { createLabNetwork, removeStaleNetworks } from "../../lab/cluster/network.ts";
import { waitUntil } from "../../lab/wait-until.ts";

test("two labs have the same addresses at once and nothing in common", async () => {
  await using first = await createLabNetwork();
  await using second = await createLabNetwork();
  for (const { netns } of [first, second]) {
    const { stdout } = await execa("ip", ["-n", netns, "-br", "address"]);
    expect(stdout).toMatch(/lab0 .*10\.99\.0\.1\/30/);
  }
});

test("a program that ends before what it is waited for does is an error with the end of its log", async () => {
  await using network = await createLabNetwork();
  const logFile = join(mkdtempSync(join(tmpdir(), "lab-")), "log");
  const child = startChild({
    name: "etcd",
    command: "sh",
    args: ["-c", "echo no space; exit 3"],
    netns: network.netns,
    logFile,
  });
  await expect(child.whileRunning(new Promise(() => {}))).rejects.toThrow(
    `etcd ended with exit code 3; the end of ${logFile}:\nno space`,
  );
});

test("a program whose starter ended before the kernel was told to end it with that does not run", async () => {
  expect(await echo(process.pid)).toMatchObject({ exitCode: 0, stdout: "$(id) it runs" });
  expect(await echo(1)).toMatchObject({ exitCode: 1, stdout: "" });
});

test("a lab whose process is killed leaves no program, and its namespace goes at the next start", async () => {
  const entry = fileURLToPath(new URL("killed-lab.ts", import.meta.url));
  const lab = execa(process.execPath, [entry, mkdtempSync(join(tmpdir(), "lab-"))], { reject: false });
  const [line] = await once(lab.stdout, "data");
  const [netns = "", pid = ""] = String(line).trim().split(" ");
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  lab.kill("SIGKILL");
  await lab;
  await waitUntil("end of the program", () => assertGone(`/proc/${pid}`), {
    timeoutMs: 5000,
    intervalMs: 20,
  });
  await removeStaleNetworks();
  assertGone(`/run/netns/${netns}`);
});

async function echo(parent: number): Promise<{ exitCode?: number | undefined; stdout: string }> {
  const [command, ...args] = boundTo(parent, ["echo", "$(id)", "it runs"]);
  return await execa(command, args, { reject: false });
}

function assertGone(path: string): void {
  if (existsSync(path)) throw new Error(`${path} is there`);
}
