// Settings of VFs on the real driver: what they do, what the NIC refuses, and that nothing of them is left.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { type BarePod, barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import { formatCall, readAdded, readAnswer } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { runScripts, type ScriptResult } from "../support/node-scripts.ts";

const lab = await openLabUnderTest();
const names = ["red-1", "red-2", "blue-1", "blue-2", "plain-1", "plain-2"] as const;
const vfs = [0, 2, 4, 6].map((at) => `0000:21:10.${at}`).concat("0000:21:11.0", "0000:21:11.2");
const pods = names.map(barePod);
const [red1, red2, blue1, blue2, plain1, plain2] = pods as [
  BarePod,
  BarePod,
  BarePod,
  BarePod,
  BarePod,
  BarePod,
];
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

/** Prints 0 when one of two pings comes back. */
function ping(from: BarePod, to: BarePod, waitSeconds: number): string {
  return `ip netns exec ${from.name} ping -n -q -c 2 -i 0.2 -W ${waitSeconds} ${addressOf(to)} >/dev/null; echo $?`;
}

function addressOf(pod: BarePod): string {
  return `192.0.2.${pods.indexOf(pod) + 1}`;
}

/** Succeeds once a ping comes back: the first ones may be lost while the addresses are resolved. */
function reach(from: BarePod, to: BarePod): string {
  return `for _ in 1 2 3 4 5 6; do ip netns exec ${from.name} ping -n -q -c 1 -W 2 ${addressOf(to)} && exit 0; done; exit 1`;
}

/** ADD of all pods, each with the address of its own and its settings. */
async function addAll(settings: readonly object[]): Promise<readonly ScriptResult[]> {
  const added = await run(
    ...pods.map((pod, at) => call("ADD", pod, { ips: [`${addressOf(pod)}/24`], ...settings[at] })),
  );
  for (const result of added) readAdded(result);
  return added;
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

test("VLANs keep tenants apart, from either side, and each tenant's own pods reach each other", async () => {
  await addAll([{ vlan: 10 }, { vlan: 10 }, { vlan: 20 }, { vlan: 20 }, {}, {}]);
  const own = [reach(red1, red2), reach(blue1, blue2), reach(plain1, plain2)];
  expect((await run(...own)).map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const tenants = [red1, blue1, plain1];
  const strangers = tenants.flatMap((from) =>
    tenants.filter((to) => to !== from).map((to) => ping(from, to, 1)),
  );
  expect((await run(...strangers)).map(({ stdout }) => stdout)).toEqual(strangers.map(() => "1"));
});

test("the PF sees no frame between two of its VFs, though it sees what they tell everybody", async () => {
  const added = await addAll([{}, {}, {}, {}, {}, {}]);
  const macs = [added[0], added[1]].map((result) => readMac(result));
  const counter = `nft add table netdev seen
    nft add chain netdev seen pf '{ type filter hook ingress device "ens1" priority 0; }'
    nft add rule netdev seen pf ether saddr '{ ${macs.join(", ")} }' ip protocol icmp counter`;
  const read = "nft list table netdev seen | grep -o 'packets [0-9]*'";
  const toAll = `ip netns exec ${red1.name} ping -n -q -b -c 3 -i 0.2 -W 1 192.0.2.255 >/dev/null 2>&1; true`;
  const [, , between, unicast, , everybody] = await run(
    reach(red1, red2),
    counter,
    ping(red1, red2, 2),
    read,
    toAll,
    read,
    "nft delete table netdev seen",
  );
  expect([between?.stdout, unicast?.stdout]).toEqual(["0", "packets 0"]);
  expect(everybody?.stdout).toBe("packets 3");
});

test.each([
  ["802.1ad", { vlan: 5, vlanProto: "802.1ad" }, "ERR_VF_STEP", "EPROTONOSUPPORT"],
  ["a link state", { link_state: "enable" }, "ERR_VF_STEP", "EOPNOTSUPP"],
  ["a lowest rate", { min_tx_rate: 100, max_tx_rate: 200 }, "ERR_VF_STEP", "EINVAL"],
  ["a rate over the link's speed", { max_tx_rate: 20_000 }, "ERR_VF_STEP", "EINVAL"],
  [
    "channels",
    { queues: 2 },
    "ERR_LINK_SIZES",
    "queues: expected nothing, the driver of ens1v0 has no channels to set",
  ],
  ["an MTU over the device's", { mtu: 20_000 }, "ERR_VF_STEP", "EINVAL"],
])(
  "%s: the NIC has none, the error says so and the VF is as it was",
  async (_name, settings, code, words) => {
    const [refused] = await run(call("ADD", red1, { trust: "on", ...settings }));
    expect(refused).toBeDefined();
    const { json } = readAnswer(refused as ScriptResult);
    expect(json).toMatchObject({
      code: 102,
      msg: expect.stringMatching(new RegExp(`^${code}: .*${words}`, "s")),
    });
    expect(await readVfState(lab.node)).toBe(before);
  },
);

test("a MAC of the network is the pod's for good, unless it is trusted; a second VF does not get it", async () => {
  const mac = "02:aa:bb:cc:dd:01";
  const [first, kept, taken, trusted, changed] = await run(
    call("ADD", red1, { mac }),
    changeMac(red1),
    call("ADD", red2, { mac }),
    call("ADD", blue1, { mac: "02:aa:bb:cc:dd:02", trust: "on" }),
    changeMac(blue1),
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
    call("ADD", red2, { ips: [`${addressOf(red2)}/24`] }),
    call("ADD", red1, { ips: [`${addressOf(red1)}/24`] }),
    reach(red1, red2),
  );
  expect(next.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
});

function readMac(result: ScriptResult | undefined): string {
  const { interfaces } = readAdded(result) as { readonly interfaces: readonly { readonly mac: string }[] };
  return interfaces[0]?.mac ?? "";
}
