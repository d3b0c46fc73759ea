// The shipped executable as a process: exit codes, stdout and stderr as a runtime sees them.

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { compileExecutables, type Executables } from "../../support/executables.ts";

let executables: Executables;

beforeAll(async () => {
  executables = await compileExecutables({ "virtfn-cni": "cni/main.ts" });
}, 120_000);

afterAll(async () => {
  await executables[Symbol.asyncDispose]();
});

function run(
  environment: Record<string, string>,
  input: string,
): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: "/usr/bin", ...environment };
  const { status, stdout, stderr } = spawnSync(executables.path("virtfn-cni"), {
    env,
    input,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("VERSION prints one line of JSON and exits 0", () => {
  expect(run({ CNI_COMMAND: "VERSION" }, '{"cniVersion":"0.4.0"}')).toEqual({
    status: 0,
    stdout: '{"cniVersion":"0.4.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
    stderr: "",
  });
});

test("what comes on stdin in pieces, or is long, is read whole before VERSION answers", () => {
  const long = `{"x":"${"y".repeat(200_000)}","cniVersion":"0.4.0"}`;
  expect(run({ CNI_COMMAND: "VERSION" }, long).stdout).toContain('"cniVersion":"0.4.0"');
  const pieces = `(printf '{"cniVersion":'; sleep 0.2; printf '"0.3.1"}')`;
  const script = `${pieces} | ${executables.path("virtfn-cni")}`;
  const env = { PATH: "/usr/bin:/bin", CNI_COMMAND: "VERSION" };
  expect(spawnSync("sh", ["-c", script], { env, encoding: "utf8" }).stdout).toContain('"cniVersion":"0.3.1"');
});

test("an error is one line of JSON on stdout, nothing on stderr, exit code 1", () => {
  const { status, stdout, stderr } = run({ CNI_COMMAND: "ADD" }, '{"cniVersion":"0.3.1"}');
  expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  expect(JSON.parse(stdout)).toMatchObject({ cniVersion: "0.3.1", code: 4 });
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
});

test.each(["", "{", "[]", "\0", '{"cniVersion":1}'])(
  "ADD with %j on stdin is an error, not a crash",
  (input) => {
    const environment = {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: "c",
      CNI_NETNS: "/run/netns/none",
      CNI_IFNAME: "eth0",
    };
    const { status, stdout } = run(environment, input);
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      msg: expect.stringMatching(/^ERR_CNI_(?:INPUT|VERSION): /) as string,
    });
  },
);

const call = { CNI_CONTAINERID: "c", CNI_NETNS: "/run/netns/none", CNI_IFNAME: "eth0" };
const inputs = [
  ["a folder", "</", 5],
  ["what was opened for writing", "0>/dev/null", 5],
  ["/dev/null", "</dev/null", 6],
  ["closed", "<&-", 6],
] as const;

test.each(inputs)(
  "stdin that is %s is one error on stdout for every verb but VERSION",
  (_, redirection, code) => {
    for (const verb of ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"]) {
      const env = { PATH: "/usr/bin:/bin", ...call, CNI_COMMAND: verb };
      const script = `exec ${executables.path("virtfn-cni")} ${redirection}`;
      const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
      const expected =
        verb === "VERSION"
          ? {
              status: 0,
              json: { cniVersion: "1.0.0", supportedVersions: ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] },
            }
          : { status: 1, json: { cniVersion: "1.0.0", code } };
      expect({ verb, status, stderr, json: JSON.parse(stdout) as unknown }).toMatchObject({
        verb,
        stderr: "",
        ...expected,
      });
      expect(stdout.trimEnd().split("\n")).toHaveLength(1);
    }
  },
);

test("an IPAM plugin gets the runtime's environment with its own call in it, and nothing for Bun", () => {
  const folder = fs.mkdtempSync(join(tmpdir(), "virtfn-ipam-"));
  try {
    fs.writeFileSync(join(folder, "ipam"), `#!/bin/sh\nenv >${folder}/env\n`, { mode: 0o755 });
    const trace = {
      TRACEPARENT: "00-4bf9-00f0-01",
      TRACESTATE: "a=b",
      BAGGAGE: "c=d",
      HTTP_PROXY: "http://x",
    };
    const path = { PATH: "/usr/bin:/bin:/run/own/bin", CNI_PATH: folder };
    const env = { ...trace, ...path, CNI_COMMAND: "GC", CNI_IFNAME: "eth0", BUN_CONFIG_VERBOSE_FETCH: "1" };
    const config = { cniVersion: "1.1.0", name: "of-nobody", type: "virtfn", deviceID: "0000:00:00.0" };
    const input = { ...config, ipam: { type: "ipam" }, "cni.dev/valid-attachments": [] };
    expect(run(env, JSON.stringify(input))).toEqual({ status: 0, stdout: "", stderr: "" });
    const lines = fs.readFileSync(join(folder, "env"), "utf8").trimEnd().split("\n");
    const own = { CNI_COMMAND: "GC", CNI_CONTAINERID: "", CNI_NETNS: "", CNI_IFNAME: "", CNI_ARGS: "" };
    const expected = Object.entries({ ...trace, ...path, ...own }).map(([name, value]) => `${name}=${value}`);
    // What the shell itself adds.
    const given = lines.filter((line) => !/^(?:PWD|OLDPWD|SHLVL|_)=/.test(line));
    expect(given.toSorted()).toEqual(expected.toSorted());
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test("a large result reaches a slow reader whole", () => {
  const routes = Array.from({ length: 8000 }, (_, n) => ({ dst: `10.${n >> 8}.${n & 255}.0/24` }));
  const annotations = { "io.kubernetes.cri.pod-annotations": { "k8s.v1.cni.cncf.io/networks": "x" } };
  const config = { cniVersion: "1.0.0", name: "c", type: "virtfn", prevResult: { routes } };
  const env = {
    PATH: "/usr/bin:/bin",
    CNI_COMMAND: "ADD",
    CNI_CONTAINERID: "c",
    CNI_NETNS: "/run/netns/none",
    CNI_IFNAME: "eth0",
    CNI_ARGS: "K8S_POD_UID=u",
  };
  const input = JSON.stringify({ ...config, runtimeConfig: annotations });
  const script = `${executables.path("virtfn-cni")} | (sleep 0.3; cat)`;
  const { stdout } = spawnSync("sh", ["-c", script], { env, input, encoding: "utf8" });
  expect((JSON.parse(stdout) as { routes: object[] }).routes).toHaveLength(8000);
});
