// The cluster's own CNI writes its plugin list anew, as its daemon does at an upgrade: our entry is back in it, and the next pod gets its VF.
import { afterAll, expect, test } from "vitest";
import { readPodVfs } from "../demo/pod-vfs.ts";
import { deletePods, startPods } from "../demo/pods.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { node } = lab;
const pod = "after-rewrite";
const backWithinMs = 15_000;

afterAll(async () => {
  await deletePods(lab, [pod]);
});

test("the entry is there again by itself, as it was, and a pod that starts then has net1", async () => {
  const path = await node.run("ls /etc/cni/net.d/*.conflist | head -n 1");
  const before = await node.run(`cat ${path}`);
  await node.run(`cat >${path}.new <<'END'\n${withoutEntry(before)}\nEND\nmv ${path}.new ${path}`);
  await waitUntil("the entry", async () => expect(await node.run(`cat ${path}`)).toBe(before), {
    timeoutMs: backWithinMs,
  });
  await startPods(lab, { [pod]: 1 });
  expect((await readPodVfs(lab, [pod])).map((vf) => vf.pod)).toEqual([pod]);
});

/** The list as the main CNI writes it: the entry is the last one. */
function withoutEntry(text: string): string {
  const { plugins } = JSON.parse(text) as { plugins: readonly { readonly type: string }[] };
  const entry = JSON.stringify(plugins.at(-1));
  const at = text.indexOf(entry);
  expect([plugins.at(-1)?.type, at > 0]).toEqual(["virtfn", true]);
  return text.slice(0, at).replace(/,\s*$/, "") + text.slice(at + entry.length);
}
