// The command line of `npm run demo`, and what it says on a machine where it cannot make a lab.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const demo = [process.execPath, join(root, "test/run/demo.ts")];

test.each([
  [["--help"], 0, "npm run demo [-- OPTIONS]\n"],
  [["--keeep"], 2, "npm run demo: Unknown option '--keeep'"],
])("with %j it ends with %d", async (args, exitCode, starts) => {
  const run = await runDemo([...demo, ...args], {});
  expect(run.stdout.slice(0, starts.length)).toBe(starts);
  expect(run.stdout).toContain("--keep ");
  expect(run.exitCode).toBe(exitCode);
});

test("no root, not Debian, no Go, no package: all of it is named at once, and nothing is begun", async () => {
  using folder = createFolder();
  const release = join(folder.path, "os-release");
  writeFileSync(release, 'ID=fedora\nVERSION_ID="42"\n');
  // Another distribution in a mount namespace, then nobody in particular in a user namespace, who finds no program.
  const inside = 'mount --bind "$1" /etc/os-release; shift; PATH=/none exec /usr/bin/unshare --user "$@"';
  const run = await runDemo(["unshare", "--mount", "sh", "-c", inside, "sh", release, ...demo], {
    TMPDIR: folder.path,
    KUBE_BIN_DIR: "",
  });
  expect(run.stdout).toMatch(
    /^\nthis machine can not make the lab:\n- root: expected user 0, got 65534 \(mounts, network namespaces, packages\)\n/,
  );
  expect(run.stdout).toMatch(
    /\n- Debian 12 or 13, or these of its packages in another way: buildah [a-z0-9 -]+ qemu-system-x86\n/,
  );
  expect(run.stdout).toMatch(/\n- Go 1\.21 or later in PATH, to build Kubernetes and the CNI plugins; /);
  expect(run.exitCode).toBe(1);
  expect(run.stdout).toMatch(/\n\d+ s in all\n$/);
  expect(readdirSync(folder.path)).toEqual(["os-release"]);
});

test("a KUBE_BIN_DIR that lacks programs is named with them", async () => {
  using folder = createFolder();
  for (const name of ["kubelet", "kubectl", "etcd"]) writeFileSync(join(folder.path, name), "");
  const run = await runDemo(["unshare", "--user", ...demo], {
    KUBE_BIN_DIR: folder.path,
    TMPDIR: folder.path,
  });
  expect(run.stdout).toContain(
    `- KUBE_BIN_DIR: ${folder.path} has no kube-apiserver, kube-scheduler, kube-controller-manager\n`,
  );
  expect(run.exitCode).toBe(1);
});

function createFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "virtfn-demo-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

async function runDemo(command: readonly string[], env: Readonly<Record<string, string>>) {
  const child = Bun.spawn([...command], {
    cwd: root,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const stdout = await child.stdout.text();
  return { stdout, exitCode: await child.exited };
}
