// The entry of `virtfn` as a process: exit codes, what goes to stdout and what to stderr.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import packageJson from "../../../package.json" with { type: "json" };

const entry = join(import.meta.dirname, "../../../cli/main.ts");

test.each([
  [["--version"], 0, `${packageJson.version}\n`, ""],
  [["--help"], 0, "virtfn: SR-IOV virtual functions", ""],
  [["deviceplugin", "--help"], 0, "virtfn deviceplugin: offers", ""],
  [["tuning", "--help"], 0, "virtfn tuning: keeps", ""],
  [["install-cni", "--help"], 0, "Usage: virtfn install-cni", ""],
  [["validate", "--help"], 0, "Usage: virtfn validate", ""],
  [["status", "--help"], 0, "Usage: virtfn status", ""],
  [["deviceplugin", "-h"], 0, "virtfn deviceplugin: offers", ""],
  [["install-cni", "-h"], 0, "Usage: virtfn install-cni", ""],
  [["validate", "-h"], 0, "Usage: virtfn validate", ""],
  [["status", "-h"], 0, "Usage: virtfn status", ""],
  [["status", "-o", "yaml"], 2, "", "ERR_USAGE: "],
  [["doctor", "--help"], 0, "Usage: virtfn doctor", ""],
  [["doctor", "--fix"], 2, "", "ERR_USAGE: "],
  [["explain", "--help"], 0, "Usage: virtfn explain pod", ""],
  [["explain", "pod", "web-1"], 2, "", "ERR_USAGE: virtfn explain: expected pod NAMESPACE/NAME"],
  [["provision", "--help"], 0, "Usage: virtfn provision", ""],
  [["provision", "--force"], 2, "", "ERR_USAGE: "],
  [["provision", "--strict", "--config-file", "/none"], 1, "/none is missing\n", ""],
  [["provision", "--strict", "--config-file", "/no\u001Bne"], 1, "/no\\u001bne is missing\n", ""],
  [
    ["provision", "--resource-prefix", "kubernetes.io"],
    2,
    "",
    "ERR_USAGE: virtfn provision: --resource-prefix:",
  ],
  [["repair", "--help"], 0, "Usage: virtfn repair", ""],
  [["repair", "--dry-run"], 0, "no VF is in use\n", ""],
  [["repair", "--bogus"], 2, "", "ERR_USAGE: "],
  [["uninstall", "--help"], 0, "Usage: virtfn uninstall", ""],
  [["uninstall", "--bogus"], 2, "", "ERR_USAGE: "],
  [["validate"], 2, "", "ERR_USAGE: "],
  [["validate", "/none"], 1, "/none:1:1: there is no such file\n", ""],
  [["validate", "-"], 1, "stdin:1:1: the file is empty\n", ""],
  [["bogus"], 2, "", 'virtfn: unknown command "bogus"; expected one of: deviceplugin'],
  [[], 2, "", "virtfn: no command given"],
  [["deviceplugin", "--listen", "nowhere"], 2, "", "ERR_LISTEN_ADDRESS: "],
  [["tuning", "--bogus"], 2, "", "ERR_USAGE: "],
  [["install-cni", "--bogus"], 2, "", "ERR_USAGE: "],
])("virtfn %j ends with %d", async (args, code, stdout, stderr) => {
  const child = Bun.spawn([process.execPath, entry, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect([out.slice(0, stdout.length), err.slice(0, stderr.length)]).toEqual([stdout, stderr]);
  expect(await child.exited).toBe(code);
  expect(stderr === "" ? err : out).toBe("");
});

test("a reader that has enough, like head, ends it without a word, and a full disk with one", () => {
  const folder = mkdtempSync(join(tmpdir(), "virtfn-cli-"));
  const keys = Array.from({ length: 4000 }, (_, at) => `"key${at}": 1`);
  writeFileSync(join(folder, "a.conf"), `{"name": "a", "type": "virtfn", ${keys.join(", ")}}`);
  const run = (into: string): string => {
    const script = `"$0" "$1" validate "$2" ${into}; echo "exit \${PIPESTATUS[0]}"`;
    const words = ["-c", script, process.execPath, entry, join(folder, "a.conf")];
    const { stdout, stderr } = spawnSync("bash", words, { encoding: "utf8" });
    return stdout.replaceAll(folder, "") + stderr;
  };
  expect(run("| head -n 1")).toMatch(/^\/a\.conf:1:1: cniVersion: .*\nexit 141\n$/);
  expect(run("> /dev/full")).toBe("exit 1\nvirtfn: cannot write to stdout: ENOSPC\n");
  rmSync(folder, { recursive: true });
});
