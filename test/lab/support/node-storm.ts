// A storm on real VFs: all pods come and go at once, and a part of the calls is killed at some moment.
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import type { LabNode } from "../node/lab-node.ts";
import { barePod, makeNamespaces, mountKubeletView, removePods } from "./bare-pods.ts";
import { formatCall } from "./cni-calls.ts";
import { readLeftovers } from "./node-leftovers.ts";
import { runScripts } from "./node-scripts.ts";

const vfs = ["10.0", "10.2", "10.4", "10.6", "11.0", "11.2", "11.4"].map((at) => `0000:21:${at}`);
const pods = vfs.map((_, at) => barePod(`storm-${at}`));
const allocated = Object.fromEntries(pods.map(({ uid }, at) => [uid, vfs.slice(at, at + 1)]));
/** Of one life of a pod: a call takes seconds when seven run at once on the emulated CPUs. */
const lifeTimeoutMs = 120_000;

export async function prepareStorm(node: LabNode): Promise<void> {
  await makeNamespaces(node, pods);
}

export async function endStorm(node: LabNode): Promise<void> {
  await removePods(node, pods);
  await node.run("rm -rf /var/lib/cni/networks/storm /run/storm-*");
}

/** `lives` lives of each pod; gives what was wrong: answers that are no success and no "try again", records and leases that are left. */
export async function runStorm(node: LabNode, lives: number): Promise<readonly string[]> {
  const before = await readVfState(node);
  const seed = Number(process.env["VIRTFN_SEED"] ?? Date.now() % 30_000);
  console.log(`seed ${seed}`);
  const workers = pods.map((_, at) => `{ ${worker(at, { lives, seed: seed + at })}; } >/run/storm-${at} &`);
  const view = {
    hasOwnMounts: true,
    prelude: mountKubeletView(vfs, allocated),
    timeoutMs: lives * lifeTimeoutMs,
  };
  const [, answers] = await runScripts(node, [[...workers, "wait"].join("\n"), "cat /run/storm-*"], view);
  const counts = Map.groupBy(answers?.stdout.split("\n") ?? [], (line) => line);
  console.log(`calls: ${[...counts].map(([outcome, all]) => `${outcome} ${all.length}`).join(", ")}`);
  await waitForVfState(node, before);
  const { records } = await readLeftovers(node);
  const leases = await node.run("ls /var/lib/cni/networks/storm | grep '^192' || true");
  return [
    ...[...counts.keys()].filter((outcome) => !usual.test(outcome)),
    ...each.filter((outcome) => !counts.has(outcome)).map((outcome) => `never: ${outcome}`),
    ...records.map(({ path }) => `record ${path}`),
    ...leases.split("\n").flatMap((lease) => (lease === "" ? [] : [`lease ${lease}`])),
  ];
}

const usual = /^(ADD|DEL) (0|137|try again)$/;
/** What is to come at least once: 137 is a call that was killed. */
const each = ["ADD 0", "ADD 137", "DEL 0", "DEL 137"];

interface Work {
  readonly lives: number;
  readonly seed: number;
}

/** The runtime of one pod in bash: an ADD, then DELs until one succeeds; about a third of the calls dies within three seconds. */
function worker(at: number, { lives, seed }: Work): string {
  const pod = barePod(`storm-${at}`);
  const settings = { vlan: 10 + at, mac: `02:aa:bb:cc:ee:0${at}`, trust: "on" };
  const ipam = { type: "host-local", subnet: "192.0.2.0/24" };
  const config = { cniVersion: "1.0.0", name: "storm", type: "virtfn", deviceID: vfs[at], ipam, ...settings };
  const call = (command: string): string =>
    formatCall({ command, config, ...pod, ifName: "net1" }).replace("| env", "| timeout -s KILL $limit env");
  return `RANDOM=${seed}
    tell() { case $2 in 0|137) echo "$1 $2";; *) case $3 in *'"code":11'*) echo "$1 try again";; *) echo "$1 $2 $3";; esac;; esac; }
    chance() { limit=60; [ $((RANDOM % 3)) -ne 0 ] || limit=$((RANDOM % 3)).$((RANDOM % 10))1; }
    for life in $(seq ${lives}); do
      chance; out=$(${call("ADD")}); tell ADD $? "$out"
      until chance; out=$(${call("DEL")}); code=$?; tell DEL $code "$out"; [ $code -eq 0 ]; do :; done
    done`;
}
