// Settings of VFs on the real driver: what they do, what the NIC refuses, and that nothing of them is left.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { type BarePod, barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, readAdded, readAnswer } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts, type ScriptResult } from "../support/node-scripts.ts";

const lab = await openLabUnderTest();
const names = ["red-1", "red-2", "blue-1", "plain-1"] as const;
const vfs = ["0000:21:10.0", "0000:21:10.2", "0000:21:10.4", "0000:21:10.6"];
const pods = names.map(barePod);
const [red1, red2, blue, plain] = pods as [BarePod, BarePod, BarePod, BarePod];
const allocated = Object.fromEntries(pods.map(({ uid }, at) => [uid, vfs.slice(at, at + 1)]));
const view = { hasOwnMounts: true, prelude: mountKubeletView(vfs, allocated) };
let before = "";

/** The script of an ADD, or another verb, of the pod's own VF with these settings. */
function call(command: string, pod: BarePod, settings: object): string {
  const deviceID = vfs[pods.indexOf(pod)];
  const config = { cniVersion: "1.0.0", name: "settings", type: "virtfn", deviceID, ...settings };
  return formatCall({ command, config, ...pod, ifName: "net1" });
}

async function run(...scripts: readonly string[]): Promise<readonly ScriptResult[]> {
  return runScripts(lab.node, scripts, view);
}

/** Prints 0 when one of two pings from red-1 comes back. */
function ping(to: number, waitSeconds: number): string {
  return `ip netns exec ${red1.name} ping -n -q -c 2 -i 0.2 -W ${waitSeconds} 192.0.2.${to} >/dev/null; echo $?`;
}

function changeMac(pod: BarePod): string {
  return `ip -n ${pod.name} link set net1 address 02:aa:bb:cc:dd:ee 2>&1`;
}

beforeAll(async () => {
  await makeNamespaces(lab.node, pods);
});

beforeEach(async () => {
  before = await readVfState(lab.node);
});

afterEach(async () => {
  await run(...pods.map((pod) => call("DEL", pod, {})));
  await waitForVfState(lab.node, before);
});

afterAll(async () => {
  await removePods(lab.node, pods);
});

test("VLANs keep tenants apart, and the PF sees no frame between two of its VFs", async () => {
  const networks = [{ vlan: 10 }, { vlan: 10 }, { vlan: 20 }, {}];
  const added = await run(
    ...pods.map((pod, at) => call("ADD", pod, { ips: [`192.0.2.${at + 1}/24`], ...networks[at] })),
  );
  const macs = added.map((result) => readMac(result));
  // The first one, for the address resolution, which everybody hears.
  await lab.node.run(`for _ in 1 2 3 4 5; do [ $(${ping(2, 2)}) = 0 ] && exit 0; done; exit 1`);
  const counter = `nft add table netdev seen
    nft add chain netdev seen pf '{ type filter hook ingress device "ens1" priority 0; }'
    nft add rule netdev seen pf ether saddr '{ ${macs.join(", ")} }' ip protocol icmp counter`;
  const read = "nft list table netdev seen | grep -o 'packets [0-9]*'; nft delete table netdev seen";
  const [, same, seen, other, untagged] = await run(counter, ping(2, 2), read, ping(3, 1), ping(4, 1));
  expect([same, other, untagged].map((result) => result?.stdout)).toEqual(["0", "1", "1"]);
  expect(seen?.stdout).toBe("packets 0");
});

test.each([
  ["802.1ad", { vlan: 5, vlanProto: "802.1ad" }, "EPROTONOSUPPORT"],
  ["a link state", { link_state: "enable" }, "EOPNOTSUPP"],
  ["a lowest rate", { min_tx_rate: 100, max_tx_rate: 200 }, "EINVAL"],
  ["a rate over the link's speed", { max_tx_rate: 20_000 }, "EINVAL"],
  ["channels", { queues: 2 }, "queues: expected nothing, the driver of ens1v0 has no channels to set"],
  ["an MTU over the device's", { mtu: 20_000 }, "EINVAL"],
])("%s: the NIC has none, the error says so and the VF is as it was", async (_name, settings, words) => {
  const [refused] = await run(call("ADD", red1, { trust: "on", ...settings }));
  expect(refused).toBeDefined();
  const { json } = readAnswer(refused as ScriptResult);
  expect(json?.["msg"]).toContain(words);
  expect(await readVfState(lab.node)).toBe(before);
});

test("a MAC of the network is the pod's for good, unless it is trusted; a second VF does not get it", async () => {
  const mac = "02:aa:bb:cc:dd:01";
  const [first, kept, taken, trusted, changed] = await run(
    call("ADD", red1, { mac }),
    changeMac(red1),
    call("ADD", red2, { mac }),
    call("ADD", blue, { mac: "02:aa:bb:cc:dd:02", trust: "on" }),
    changeMac(blue),
  );
  expect(readMac(first)).toBe(mac);
  expect(kept?.stdout).toContain("Cannot assign requested address");
  expect(readAnswer(taken as ScriptResult).json).toMatchObject({
    code: 11,
    msg: expect.stringContaining(`giving ${mac} to ens1 vf 1: ens1 vf 0 has it`) as string,
  });
  expect(readMac(trusted)).toBe("02:aa:bb:cc:dd:02");
  expect(changed).toMatchObject({ exitCode: 0, stdout: "" });
});

test("rings are the pod's, and a VF that is reset between pods works for the next one", async () => {
  const settings = { rings: { rx: 512, tx: 256 }, resetBetweenPods: true, ips: ["192.0.2.1/24"] };
  const rings = `nsenter --net=/run/netns/${red1.name} ethtool -g net1 | grep -E '^(RX|TX):' | tail -2 | tr -d ' \\t\\n'`;
  const [added, shown, ended, home] = await run(
    call("ADD", red1, settings),
    rings,
    call("DEL", red1, settings),
    "ethtool -g ens1v0 | grep -E '^(RX|TX):' | tail -2 | tr -d ' \\t\\n'",
  );
  expect(readAdded(added)).toMatchObject({ interfaces: [{ name: "net1" }] });
  expect(shown?.stdout).toBe("RX:512TX:256");
  expect([ended?.exitCode, home?.stdout]).toEqual([0, "RX:1024TX:1024"]);
  const next = await run(
    call("ADD", plain, { ips: ["192.0.2.4/24"] }),
    call("ADD", red1, { ips: ["192.0.2.1/24"] }),
    `for _ in 1 2 3 4 5 6; do ip netns exec ${red1.name} ping -n -q -c 1 -W 2 192.0.2.4 && exit 0; done; exit 1`,
  );
  expect(next.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
});

function readMac(result: ScriptResult | undefined): string {
  const { interfaces } = readAdded(result) as { readonly interfaces: readonly { readonly mac: string }[] };
  return interfaces[0]?.mac ?? "";
}
