// A storm on real VFs: all pods come and go at once, and a part of the calls is killed at some moment. Nothing of it is left.
import { afterAll, beforeAll, expect, test } from "vitest";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { readLeftovers } from "../support/node-leftovers.ts";
import { runScripts } from "../support/node-scripts.ts";

const lab = await openLabUnderTest();
/** Lives of each pod; a call takes seconds when seven run at once on the emulated CPUs. */
const lives = Number(process.env["VIRTFN_STORM_LIVES"] ?? 4);
const vfs = ["10.0", "10.2", "10.4", "10.6", "11.0", "11.2", "11.4"].map((at) => `0000:21:${at}`);
const pods = vfs.map((_, at) => barePod(`storm-${at}`));
const allocated = Object.fromEntries(pods.map(({ uid }, at) => [uid, vfs.slice(at, at + 1)]));
const view = { hasOwnMounts: true, prelude: mountKubeletView(vfs, allocated), timeoutMs: lives * 120_000 };

beforeAll(async () => {
  await makeNamespaces(lab.node, pods);
});

afterAll(async () => {
  await removePods(lab.node, pods);
  await lab.node.run("rm -rf /var/lib/cni/networks/storm /run/storm-*");
});

test("pods come and go at once, with calls killed: every answer is a success or 'try again', and the node is as before", async () => {
  const before = await readVfState(lab.node);
  const seed = Number(process.env["VIRTFN_SEED"] ?? Date.now() % 30_000);
  console.log(`seed ${seed}`);
  const workers = pods.map((_, at) => `{ ${worker(at, seed + at)}; } >/run/storm-${at} &`);
  const [, answers] = await runScripts(lab.node, [[...workers, "wait"].join("\n"), "cat /run/storm-*"], view);
  const counts = Map.groupBy(answers?.stdout.split("\n") ?? [], (line) => line);
  console.log(`calls: ${[...counts].map(([outcome, all]) => `${outcome} ${all.length}`).join(", ")}`);
  const usual = /^(ADD|DEL) (0|137|try again)$/;
  expect([...counts.keys()].filter((outcome) => !usual.test(outcome))).toEqual([]);
  expect([...counts.keys()]).toEqual(expect.arrayContaining(["ADD 0", "ADD 137", "DEL 0", "DEL 137"]));
  await waitForVfState(lab.node, before);
  expect((await readLeftovers(lab.node)).records).toEqual([]);
  expect(await lab.node.run("ls /var/lib/cni/networks/storm | grep -c '^192' || true")).toBe("0");
});

/** The runtime of one pod in bash: an ADD, then DELs until one succeeds; about a third of the calls dies within three seconds. */
function worker(at: number, seed: number): string {
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
