// Files of the node that are not what they should be: what is answered quickly the whole of the verb answers so, too, and no pod with a VF is passed on.

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";

import { answerQuickly } from "../../../cni/answer-quickly.ts";
import { runCni, type CniOutcome } from "../../../cni/run.ts";
import { createNodeReader, type NodeReader } from "../../../host/node-reader.ts";
import { podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const named = { name: "cluster", type: "virtfn" };
const prevResult = { cniVersion: "1.0.0", interfaces: [{ name: "eth0" }], ips: [], routes: [], dns: {} };
const stdins = {
  ADD: JSON.stringify({ ...named, cniVersion: "1.0.0", prevResult }),
  STATUS: JSON.stringify({ ...named, cniVersion: "1.1.0" }),
};

/** How each is made in the place of the file or folder at `path`, which is at `aside` now. */
const kinds: Readonly<Record<string, (path: string, aside: string) => void>> = {
  "what it should be": (path, aside) => fs.renameSync(aside, path),
  "a link to it": (path, aside) => fs.symlinkSync(aside, path),
  "a link to itself": (path) => fs.symlinkSync(path, path),
  "an empty file": (path) => fs.writeFileSync(path, ""),
  "a folder": (path) => fs.mkdirSync(path),
  "a pipe": (path) => execFileSync("mkfifo", [path]),
  "a device without an end": (path) => fs.symlinkSync("/dev/zero", path),
  "a file of 100 MiB without content": (path) => (
    fs.writeFileSync(path, ""),
    fs.truncateSync(path, 100 << 20)
  ),
};
const places: Readonly<Record<string, (paths: NodeReader["paths"]) => string>> = {
  "the checkpoint": ({ kubelet }) => kubelet.checkpoint,
  "the mark of the boot": ({ releasedBoot }) => releasedBoot,
  "the runtime's folder": ({ cniConfigs }) => cniConfigs,
  "the kubelet's socket": ({ kubelet }) => kubelet.podResourcesSocket,
};

function makeNode(): { readonly node: FakeHost; readonly reader: NodeReader } {
  const node = createFakeHost();
  node.allocate("uid-web-1", { app: ["0000:3b:02.0"] });
  const { paths, clock } = node.host;
  const files = {
    [`${paths.proc}/sys/kernel/random/boot_id`]: clock.bootId(),
    [paths.releasedBoot]: clock.bootId(),
    [`${paths.cniConfigs}/10-a.conflist`]: JSON.stringify({ plugins: [{ type: "ptp" }, named] }),
    [paths.kubelet.podResourcesSocket]: "",
  };
  for (const [path, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, text);
  }
  return { node, reader: createNodeReader(node.root) };
}

const calls = [
  { command: "ADD", pod: "plain" },
  { command: "ADD", pod: "web-1" },
  { command: "STATUS", pod: "" },
] as const;

/** What is wrong with two answers to the same call; nothing where they agree, or where there is no quick one. */
function compare(
  pod: string,
  quick: string | undefined,
  { exitCode, stdout }: CniOutcome,
): string | undefined {
  if (pod === "web-1" && (quick !== undefined || exitCode === 0)) return "a pod with a VF was passed on";
  if (quick === undefined) return undefined;
  const isSame = exitCode === 0 && isDeepStrictEqual(JSON.parse(stdout || "0"), JSON.parse(quick || "0"));
  return isSame ? undefined : `quickly ${quick}, whole ${stdout}`;
}

const all = Object.keys(places).flatMap((place) => Object.keys(kinds).map((kind) => ({ place, kind })));

test.each(all)("$kind in the place of $place", async ({ place, kind }) => {
  const { node, reader } = makeNode();
  using _node = node;
  const path = places[place]?.(reader.paths) ?? "";
  fs.renameSync(path, `${path}.aside`);
  kinds[kind]?.(path, `${path}.aside`);
  for (const { command, pod } of calls) {
    const call = { CNI_CONTAINERID: "c1", CNI_NETNS: "/run/netns/none", CNI_IFNAME: "eth0" };
    const environment = { ...call, CNI_COMMAND: command, CNI_ARGS: podArgs(pod) };
    const stdin = stdins[command];
    const quick = answerQuickly(environment, stdin, () => reader);
    const whole = await runCni({ environment, stdin }, () => node.host, reader);
    expect([command, pod, compare(pod, quick, whole)]).toEqual([command, pod, undefined]);
  }
});
