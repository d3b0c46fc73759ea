// Carries generated calls out quickly on fake nodes, and whole where that gave an answer: the whole of the verb must agree, and have nothing else to do or to say.

import * as fs from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import * as fc from "fast-check";

import { answerQuickly } from "../../cni/answer-quickly.ts";
import { emptyResult, formatResult, resultSchema } from "../../cni/result.ts";
import { runCni, type CniOutcome } from "../../cni/run.ts";
import type { CniVersion } from "../../cni/spoken-versions.ts";
import { createNodeReader, type NodeReader } from "../../host/node-reader.ts";
import { readConfigObject } from "../../sriov/config-object.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";
import { anyQuickCall, type QuickCall, type QuickNode } from "./quick-calls.ts";

/** How many calls of each verb were answered quickly, of `count`; throws, with the seed and the smallest such call, at the first to which the whole of the verb says something else. */
export async function runQuickCalls(count: number, seed: number): Promise<ReadonlyMap<string, number>> {
  using node = createFakeHost();
  node.addNetns("web-1");
  const reader = openReader(node);
  const socket = await makeSocket(node.root);
  const answered = new Map<string, number>();
  const runCall = async ({ environment, stdin, files }: QuickCall): Promise<void> => {
    writeFiles(node, files, socket);
    const answer = answerQuickly(environment, stdin, () => reader);
    if (answer === undefined) return;
    const verb = environment["CNI_COMMAND"] ?? "";
    answered.set(verb, (answered.get(verb) ?? 0) + 1);
    const before = node.toText();
    judge(verb, answer, await runCni({ environment, stdin }, () => node.host, reader));
    if (node.toText() !== before) throw new Error(`changed: ${node.toText()}`);
  };
  const calls = anyQuickCall(node.host.clock.bootId());
  await fc.assert(fc.asyncProperty(calls, runCall), { numRuns: count, seed });
  return answered;
}

function judge(verb: string, answer: string, whole: CniOutcome): void {
  const isAgreed =
    verb === "ADD"
      ? isPassedOn(answer, whole)
      : whole.exitCode === 0 && whole.stdout === answer && whole.stderr === "";
  if (!isAgreed) throw new Error(`${answer} was answered, and whole ${JSON.stringify(whole)}`);
}

const notLookedFor = /"msg":"ERR_(?:NETWORK_CONFIG: .*\b(?:name|prevResult)\b|CNI_KUBELET: )/;

// Where the pod has no VF nobody looks for a mistake in the configuration, in the result of the plugin before, or in other pods' devices.
function isPassedOn(answer: string, { exitCode, stdout, stderr }: CniOutcome): boolean {
  if (exitCode !== 0) return notLookedFor.test(stdout);
  const lines = stderr.split("\n").filter((line) => line !== "");
  return (
    normalize(answer) === normalize(stdout) &&
    lines.every((line) => line.includes('level=warning msg="passed over in the configuration"'))
  );
}

/** The result as the whole of ADD writes it. */
function normalize(text: string): string {
  const prevResult = JSON.parse(text) as { readonly cniVersion: CniVersion };
  const { output } = readConfigObject({ prevResult: resultSchema }, { prevResult }, { path: "" });
  return formatResult(output?.prevResult ?? emptyResult, prevResult.cniVersion);
}

function openReader({ root, host }: FakeHost): NodeReader {
  put(`${host.paths.proc}/sys/kernel/random/boot_id`, `${host.clock.bootId()}\n`);
  return createNodeReader(root);
}

/** A socket at which nobody listens any more, under a name by which closing does not remove it. */
async function makeSocket(root: string): Promise<string> {
  const [path, kept] = [join(root, "socket"), join(root, "kept-socket")];
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  fs.renameSync(path, kept);
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return kept;
}

function writeFiles({ host: { paths } }: FakeHost, files: QuickNode, socket: string): void {
  put(paths.kubelet.checkpoint, files.checkpoint);
  put(paths.releasedBoot, files.releasedBoot);
  fs.rmSync(paths.cniConfigs, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files.cniConfigs)) put(`${paths.cniConfigs}/${name}`, text);
  put(paths.kubelet.podResourcesSocket, undefined);
  if (files.hasPodResources) fs.linkSync(socket, paths.kubelet.podResourcesSocket);
}

function put(path: string, text: string | undefined): void {
  fs.rmSync(path, { force: true });
  fs.mkdirSync(dirname(path), { recursive: true });
  if (text !== undefined) fs.writeFileSync(path, text);
}
