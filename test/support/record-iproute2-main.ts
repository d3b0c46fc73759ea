// Records what iproute2 sends to the kernel, as the golden bytes of test/fixtures/netlink/iproute2.json. Needs root, iproute2
// and strace; run once by hand: `bun test/support/record-iproute2-main.ts > test/fixtures/netlink/iproute2.json`.

import { execFileSync, spawnSync } from "node:child_process";

/** Commands that change something, run in order in a fresh namespace with veth pairs `va` (2), `vb` (3) and `vc` (4), `vd` (5); TARGET is another one. */
const commands = [
  "link set dev va up",
  "link set dev va down",
  "link set dev va promisc on",
  "link set dev va allmulticast off",
  "link set dev va mtu 1400",
  "link set dev va address 02:00:00:00:00:05",
  "link set dev va name vrenamed",
  "link set dev vrenamed name va",
  "link property add dev va altname a-rather-long-altname",
  "link property del dev va altname a-rather-long-altname",
  "link set dev va vf 3 mac 02:00:00:00:03:01",
  "link set dev va vf 3 vlan 100 qos 5",
  "link set dev va vf 3 vlan 100 qos 0 proto 802.1ad",
  "link set dev va vf 3 max_tx_rate 1000 min_tx_rate 200",
  "link set dev va vf 3 spoofchk on",
  "link set dev va vf 3 spoofchk off",
  "link set dev va vf 3 trust on",
  "link set dev va vf 3 state disable",
  "link set dev va vf 3 state auto",
  "link set dev va up",
  "link set dev vb up",
  "address add 10.9.0.2/24 dev va",
  "address del 10.9.0.2/24 dev va",
  "address add 10.9.0.2/24 dev va",
  "address add 2001:db8:9::2/64 dev va",
  "address del 2001:db8:9::2/64 dev va",
  "address add 2001:db8:9::2/64 dev va",
  "route add 10.20.0.0/16 via 10.9.0.1 dev va proto static",
  "route add default via 10.99.0.1 dev va onlink metric 50 proto static",
  "route add 10.30.0.0/16 dev va table 1000 proto static mtu 1300 advmss 1200",
  "route add 10.31.0.0/16 via inet6 2001:db8:9::1 dev va proto static",
  "route add 2001:db8:20::/48 via 2001:db8:9::1 dev va metric 10 table 100 proto static",
  "route del 10.20.0.0/16 via 10.9.0.1 dev va",
  "link set dev va netns TARGET",
  "link set dev vc netns TARGET name net1",
  "link del dev vb",
];

const namespace = `virtfn-t-${crypto.randomUUID().slice(0, 8)}`;
const target = `${namespace}-b`;
for (const name of [namespace, target]) execFileSync("ip", ["netns", "add", name]);
try {
  inNamespace(["ip", "link", "add", "va", "index", "2", "type", "veth", "peer", "name", "vb", "index", "3"]);
  inNamespace(["ip", "link", "add", "vc", "index", "4", "type", "veth", "peer", "name", "vd", "index", "5"]);
  const recorded = commands.map((command) => ({ command, hex: lastRequest(command) }));
  process.stdout.write(`${JSON.stringify(recorded, undefined, 2)}\n`);
} finally {
  for (const name of [namespace, target]) execFileSync("ip", ["netns", "del", name]);
}

/** The last message that the command sends: the ones before it only ask. */
function lastRequest(command: string): string {
  const args = [
    "-e",
    "trace=sendmsg,sendto",
    "-e",
    "write=all",
    "ip",
    ...command.replace("TARGET", target).split(" "),
  ];
  const dumps = inNamespace(["strace", ...args]).split(/^\w+\(/m);
  const lines = (dumps.at(-1) ?? "").matchAll(/^ \| [0-9a-f]{5} {2}((?:[0-9a-f]{2} {1,2})+)/gm);
  return [...lines].map(([, bytes = ""]) => bytes.replaceAll(" ", "")).join("");
}

function inNamespace(command: readonly string[]): string {
  return spawnSync("ip", ["netns", "exec", namespace, ...command], { encoding: "utf8" }).stderr;
}
