// `virtfn uninstall` as the executable that ships, on a node whose host root it reaches through process 1, as in its container.

import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { formatAttachment } from "../../../sriov/attachment-format.ts";
import { sampleAttachment } from "../../support/attachment-arbitrary.ts";
import { type ChrootNode, createChrootNode } from "../../support/chroot-node.ts";
import { waitFor } from "../../support/wait-for.ts";

const list =
  '{\n  "cniVersion": "1.0.0", "name": "cluster",\n  "plugins": [\n    { "type": "bridge" }\n  ]\n}\n';
const install = "/dist/virtfn install-cni --name sriov";
const record = `var/lib/virtfn/attachments/${sampleAttachment.device.address}.json`;
let node: ChrootNode;

beforeEach(() => {
  node = createChrootNode();
  write("etc/cni/net.d/10-cluster.conflist", list);
  write("opt/cni/bin/sriov", "sriov-cni\n");
});

afterEach(() => {
  node[Symbol.dispose]();
});

function write(path: string, text: string): void {
  fs.mkdirSync(join(node.root, path, ".."), { recursive: true });
  fs.writeFileSync(join(node.root, path), text);
}

/** Every file of the node with its content, where that is short, and every folder. */
function show(): readonly string[] {
  return ["etc", "opt", "run", "var"]
    .flatMap((folder) => fs.globSync(`${folder}/**`, { cwd: node.root }))
    .toSorted((a, b) => a.localeCompare(b))
    .map((path) => {
      const stat = fs.lstatSync(join(node.root, path));
      const isShort = stat.isFile() && stat.size < 4096;
      return isShort ? `${path} ${fs.readFileSync(join(node.root, path), "utf8")}` : `${path} ${stat.size}`;
    });
}

async function ask(): Promise<string> {
  const answer = await fetch("http://127.0.0.1:19813/readyz").catch(() => undefined);
  return answer === undefined ? "" : `${answer.status} ${await answer.text()}`;
}

function addPod(): void {
  write(record, formatAttachment(sampleAttachment));
}

test("after install and uninstall the node is as before, with the other program's executable", async () => {
  const before = show();
  expect((await node.run(install)).exitCode).toBe(0);
  write("run/virtfn/lock/0000:01:10.2", "");
  write("run/cdi/virtfn.sriov-net-vf.json", "{}");
  fs.mkdirSync(join(node.root, "var/lib/virtfn/quarantine"), { recursive: true });
  expect(show().join("\n")).toContain('"type":"virtfn"');
  const dry = await node.run("/dist/virtfn uninstall --dry-run");
  const real = await node.run("/dist/virtfn uninstall");
  expect([dry.exitCode, real.exitCode, real.stdout]).toEqual([0, 0, dry.stdout]);
  expect(real.stdout).toContain("put /proc/1/root/opt/cni/bin/sriov.before-virtfn back as");
  fs.rmdirSync(join(node.root, "var/lib"));
  expect(show()).toEqual(before);
  expect((await node.run("/dist/virtfn uninstall")).stdout).toBe("nothing is left of virtfn");
});

test("while a pod has a VF it ends with 1, names the pod, and changes nothing", async () => {
  await node.run(install);
  addPod();
  const before = show();
  const refused = await node.run("/dist/virtfn uninstall");
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(/^ERR_UNINSTALL: .*a VF is in use by pod shop\/web-1 \(0000:01:10\.2\)/);
  expect(show()).toEqual(before);
});

test("with --stay it is ready when nothing is left, says until then who needs it, and keeps it so", async () => {
  await node.run(install);
  addPod();
  const running = node.run("exec /dist/virtfn uninstall --stay --listen=127.0.0.1:19813");
  try {
    await waitFor("the refusal", async () => /^503 .*shop\/web-1/s.test(await ask()));
    fs.rmSync(join(node.root, record));
    await waitFor("readiness", async () => (await ask()).startsWith("200"), 30_000);
    expect(show().join("\n")).not.toMatch(/virtfn/);
  } finally {
    running.kill("SIGTERM");
    await running;
  }
});
