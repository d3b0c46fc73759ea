// The original article's way on the real driver: a PF that a network names, VFs made at first use, no device plugin, and a crowd at once.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BarePod, barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, type NodeAnswer, readAdded, readAnswer } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts, type ScriptResult } from "../support/node-scripts.ts";

const lab = await openLabUnderTest();
/** A process takes half a second of the emulated CPUs: as many as show that locks and picking hold. */
const crowd = 10;
const numVfs = 7;
const pods = Array.from({ length: crowd }, (_, at) => barePod(`lan-${at}`));
const config = { cniVersion: "1.0.0", name: "lan", type: "virtfn", pf: "ens2" };
const nodeConfig = "/etc/virtfn/node.yaml";
// The lab's device plugin offers new VFs at once: to these calls there is none.
const view = { hasOwnMounts: true, prelude: mountKubeletView([], {}), timeoutMs: 240_000 };

async function run(...scripts: readonly string[]): Promise<readonly ScriptResult[]> {
  return runScripts(lab.node, scripts, view);
}

function call(command: string, pod: BarePod, at: number): string {
  const floating = { ips: [`192.0.2.${at + 1}/24`], routes: [{ dst: "198.51.100.0/24", gw: "192.0.2.254" }] };
  return formatCall({ command, config: { ...config, ...floating }, ...pod, ifName: "net1" });
}

beforeAll(async () => {
  await lab.node.run(`mkdir -p /etc/virtfn; echo 'pfs: [ens2]' >${nodeConfig}`);
  await makeNamespaces(lab.node, pods);
});

afterAll(async () => {
  await removePods(lab.node, pods);
  await lab.node.run(`rm -f ${nodeConfig}; echo 0 >/sys/class/net/ens2/device/sriov_numvfs`);
});

test("the first pod has VFs made, gets its floating address, and gives the VF back", async () => {
  const [pod] = pods as [BarePod];
  const [before, added, address, route, numvfs] = await run(
    "cat /sys/class/net/ens2/device/sriov_numvfs",
    call("ADD", pod, 0),
    `ip -n ${pod.name} -br -4 address show net1`,
    `ip -n ${pod.name} route show 198.51.100.0/24`,
    "cat /sys/class/net/ens2/device/sriov_numvfs",
  );
  expect(before?.stdout).toBe("0");
  expect(readAdded(added)["ips"]).toEqual([{ address: "192.0.2.1/24", interface: 0 }]);
  expect(address?.stdout).toContain("192.0.2.1/24");
  expect(route?.stdout).toContain("via 192.0.2.254 dev net1");
  expect(numvfs?.stdout).toBe(`${numVfs}`);
  const [ended, left, records] = await run(
    call("DEL", pod, 0),
    `ip -n ${pod.name} -br link`,
    "ls /var/lib/virtfn/attachments",
  );
  expect([ended?.exitCode, left?.stdout.split("\n").length, records?.stdout]).toEqual([0, 1, ""]);
});

test("of many at once as many as there are VFs get one each, the others are told who has them", async () => {
  const adds = pods.map((pod, at) => `{ ${call("ADD", pod, at)}; } >/run/lan-${at} &`);
  const [, ...results] = await run(
    [...adds, "wait"].join("\n"),
    ...pods.map((_, at) => `cat /run/lan-${at}`),
  );
  const answers = results.map((result) => readAnswer(result).json);
  const given = answers.flatMap(pciAddressOf);
  expect([given.length, new Set(given).size]).toEqual([numVfs, numVfs]);
  const refused = answers.filter((answer) => pciAddressOf(answer).length === 0);
  expect(new Set(refused.map((answer) => answer?.["code"]))).toEqual(new Set([11]));
  for (const answer of refused)
    expect(answer?.["msg"]).toMatch(/attached to pod default\/lan-\d+|works on it/);
  const ended = await run(
    ...pods.map((pod, at) => call("DEL", pod, at)),
    "ls /var/lib/virtfn/attachments",
    "rm /run/lan-*; ls -d /sys/class/net/ens2v* | wc -l",
  );
  const [records, home] = ended.slice(crowd) as [ScriptResult, ScriptResult];
  expect(ended.slice(0, crowd).every(({ exitCode }) => exitCode === 0)).toBe(true);
  expect([records.stdout, home.stdout]).toEqual(["", `${numVfs}`]);
});

function pciAddressOf(answer: NodeAnswer["json"]): readonly string[] {
  const interfaces = (answer?.["interfaces"] ?? []) as readonly {
    readonly pciID?: string;
    readonly mac: string;
  }[];
  return interfaces.map(({ pciID, mac }) => pciID ?? mac);
}
