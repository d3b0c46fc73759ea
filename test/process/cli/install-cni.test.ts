// `virtfn install-cni` as the executable that ships, without any capability, as its container runs it.

import { execa } from "execa";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createChrootNode } from "../../support/chroot-node.ts";
import { waitFor } from "../../support/wait-for.ts";

const dist = resolve(import.meta.dirname, "../../../dist");
const list = '{"cniVersion":"1.0.0","name":"cluster","plugins":[{"type":"bridge"}]}';
const withoutCapabilities = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
let root: string;
let conflist: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "virtfn-process-"));
  mkdirSync(join(root, "conf"));
  conflist = join(root, "conf/10-cluster.conflist");
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function start(...flags: readonly string[]) {
  const folders = [
    `--cni-bin-dir=${root}/bin`,
    `--cni-conf-dir=${root}/conf`,
    `--entry=${root}/chained.yaml`,
  ];
  const command = [join(dist, "virtfn"), "install-cni", ...folders, ...flags];
  const privileged = process.getuid?.() === 0 ? ["setpriv", ...withoutCapabilities] : [];
  const [file = "", ...args] = [...privileged, ...command];
  return execa(file, args, { reject: false, stdin: "ignore", cwd: root });
}

function hasEntry(): boolean {
  return readFileSync(conflist, "utf8").includes('"type":"virtfn"');
}

test("it installs the executable of the same release, which starts from there, and keeps the entry until SIGTERM", async () => {
  const child = start("--watch");
  try {
    await waitFor(
      "the executable",
      () => statSync(join(root, "bin/virtfn"), { throwIfNoEntry: false }) !== undefined,
    );
    const installed = readFileSync(join(root, "bin/virtfn"));
    expect(installed.equals(readFileSync(join(dist, "virtfn-cni")))).toBe(true);
    const version = await execa(join(root, "bin/virtfn"), {
      env: { CNI_COMMAND: "VERSION" },
      input: '{"cniVersion":"1.0.0"}',
    });
    expect(JSON.parse(version.stdout)).toMatchObject({
      supportedVersions: expect.arrayContaining(["1.0.0"]),
    });
    for (const text of [list, list, list.replace("bridge", "ptp")]) {
      writeFileSync(conflist, text);
      await waitFor("the entry", hasEntry);
    }
    writeFileSync(join(root, "chained.yaml"), "networks:\n  - resource: sriov/vf\n");
    writeFileSync(conflist, list);
    await waitFor("the networks", () =>
      readFileSync(conflist, "utf8").includes('"networks":[{"resource":"sriov/vf"}]'),
    );
  } finally {
    child.kill("SIGTERM");
  }
  expect((await child).exitCode).toBe(0);
  expect(hasEntry()).toBe(true);
});

test("it ends with 0 when all is in place, and with 1 and the reason when the configuration can't take the entry", async () => {
  writeFileSync(conflist, list);
  expect((await start()).exitCode).toBe(0);
  expect((await start()).exitCode).toBe(0);
  writeFileSync(conflist, list.replace("1.0.0", "1.2.0"));
  const refused = await start();
  expect(refused.exitCode).toBe(1);
  expect(refused.stdout).toContain("ERR_CONFLIST");
});

test("under a mount whose folder was made anew on the host it ends with 1, and the next start has the new one", async () => {
  mkdirSync(join(root, "mounted"));
  writeFileSync(conflist, list);
  const script = `mount --bind ${root}/conf ${root}/mounted && exec ${dist}/virtfn install-cni --watch \
    --cni-bin-dir=${root}/bin --cni-conf-dir=${root}/mounted`;
  for (const _start of [1, 2]) {
    const child = execa("unshare", ["--mount", "sh", "-c", script], { reject: false, stdin: "ignore" });
    await waitFor("the entry", hasEntry);
    rmSync(join(root, "conf"), { recursive: true });
    mkdirSync(join(root, "conf"));
    writeFileSync(conflist, list);
    const { exitCode, stdout } = await child;
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining("ERR_FOLDER_REMOVED")]);
    expect(hasEntry()).toBe(false);
  }
});

test("a taken port is an error line, and the work goes on", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  writeFileSync(conflist, list);
  const child = start("--watch", `--listen=127.0.0.1:${port}`);
  try {
    await waitFor("the entry", hasEntry);
  } finally {
    child.kill("SIGTERM");
    server.close();
  }
  const { exitCode, stdout } = await child;
  expect(exitCode).toBe(0);
  expect(stdout).toContain("cannot serve health and metrics");
});

function ask(): Promise<Response> {
  return fetch("http://127.0.0.1:19812/readyz");
}

test("it is ready when the entry is in place, and says why it is not", async () => {
  const child = start("--watch", "--listen=127.0.0.1:19812");
  try {
    await waitFor("the endpoint", () =>
      ask().then(
        ({ status }) => status === 503,
        () => false,
      ),
    );
    expect(await (await ask()).text()).toMatch(/waiting for the cluster's own CNI|has not looked/);
    writeFileSync(conflist, list);
    await waitFor("readiness", async () => (await ask()).status === 200);
    expect(await (await fetch("http://127.0.0.1:19812/metrics")).text()).toContain(
      "virtfn_install_cni_problems 0",
    );
  } finally {
    child.kill("SIGTERM");
  }
  await child;
});

test("with --udev-rule the rule is where udev looks, and uninstall takes it away", async () => {
  using node = createChrootNode();
  const rules = join(node.root, "etc/udev/rules.d");
  mkdirSync(rules, { recursive: true });
  const installed = await node.run("/dist/virtfn install-cni --no-conflist --udev-rule");
  expect(installed.exitCode).toBe(0);
  expect(readdirSync(rules)).toEqual(["84-virtfn.rules"]);
  expect(statSync(join(rules, "84-virtfn.rules")).mode & 0o777).toBe(0o644);
  expect((await node.run("/dist/virtfn uninstall")).exitCode).toBe(0);
  expect(readdirSync(rules)).toEqual([]);
});

test("with --kubelet-root it names the link that is missing on the host", async () => {
  using node = createChrootNode();
  for (const folder of ["var/lib/kubelet/device-plugins", "data/kubelet/pod-resources"])
    mkdirSync(join(node.root, folder), { recursive: true });
  const refused = await node.run("/dist/virtfn install-cni --no-conflist --kubelet-root=/data/kubelet");
  expect([refused.exitCode, refused.stdout]).toEqual([
    1,
    expect.stringContaining("ln -s /data/kubelet/pod-resources /var/lib/kubelet/pod-resources"),
  ]);
});
