// The CNI plugin called as Multus calls its delegates, in every version of the spec, on a real VF.
import { afterAll, beforeAll, expect, test } from "vitest";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { barePod, makeNamespaces, mountKubeletView, removePods } from "../support/bare-pods.ts";
import {
  type PodLink,
  readPodLink,
  readPodRoutes,
  showPodLink,
  showPodRoutes,
} from "../support/bare-pod-link.ts";
import { codeOf, formatCall, type NodeCall, readAdded } from "../support/cni-calls.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { quote, runScripts, type ScriptResult } from "../support/node-scripts.ts";

const lab = await openLabUnderTest();
const pod = barePod("delegate");
const vf = "0000:21:10.2";
const others = ["0000:21:10.0", "0000:21:10.4"];
const view = { hasOwnMounts: true, prelude: mountKubeletView([vf, ...others], { [pod.uid]: [vf] }) };
const devInfo = `/var/run/k8s.cni.cncf.io/devinfo/cni/default-blue-${pod.containerId}_net1`;
const deviceInfo = `{"type":"pci","version":"1.1.0","pci":{"pci-address":"${vf}"}}`;

const network = {
  type: "virtfn",
  capabilities: { CNIDeviceInfoFile: true, deviceID: true },
  vlan: 100,
  vlanQoS: 3,
  spoofchk: "off",
  trust: "on",
  mtu: 9000,
  max_tx_rate: 100,
  ipam: { type: "host-local", subnet: "192.0.2.0/24", routes: [{ dst: "198.51.100.0/24" }] },
};
// What Multus puts beside the network's own keys.
const chosen = {
  deviceID: vf,
  pciBusID: vf,
  runtimeConfig: { CNIDeviceInfoFile: devInfo, deviceID: vf },
};
const versions = [
  { cniVersion: "0.3.1", codes: { check: 1, gc: 1, status: 1, checkAfterDel: 1 }, isOld: true },
  { cniVersion: "0.4.0", codes: { check: 0, gc: 1, status: 1, checkAfterDel: 3 }, isOld: true },
  { cniVersion: "1.0.0", codes: { check: 0, gc: 1, status: 1, checkAfterDel: 3 }, isOld: false },
  { cniVersion: "1.1.0", codes: { check: 0, gc: 0, status: 0, checkAfterDel: 3 }, isOld: false },
] as const;

const ofPod = { ...pod, ifName: "net1" };
const look = (name: string): readonly string[] => [
  showPodLink(pod, "net1"),
  showPodRoutes(pod, "net1"),
  "ip link show ens1 | grep 'vf 1 '",
  "ls /var/lib/virtfn/attachments",
  `cat /var/lib/cni/networks/${name}/192.0.2.2`,
];

beforeAll(async () => {
  await makeNamespaces(lab.node, [pod]);
});

afterAll(async () => {
  await removePods(lab.node, [pod]);
  await lab.node.run("rm -rf /var/lib/cni/networks/blue-*");
});

test.each(versions)("a pod's life in $cniVersion", async ({ cniVersion, codes, isOld }) => {
  const before = await readVfState(lab.node);
  const name = `blue-${cniVersion}`;
  const config = { cniVersion, name, ...network, ...chosen };
  const copy = `mkdir -p ${devInfo.replace(/\/[^/]*$/, "")}; printf %s ${quote(deviceInfo)} >${devInfo}`;
  const add = formatCall({ command: "ADD", config, ...ofPod });
  const [, added, ...seen] = await runScripts(lab.node, [copy, add, ...look(name)], view);
  const result = readAdded(added);
  expect(result).toMatchObject({ cniVersion });
  const attached = readAttached(seen);
  const { mac } = attached.link;
  expect(attached).toEqual({
    link: { name: "net1", mac, mtu: 9000, operstate: "UP", parentdev: vf, addresses: ["192.0.2.2/24"] },
    routes: ["192.0.2.0/24", "198.51.100.0/24 via 192.0.2.1"],
    ofPf: expect.stringContaining(
      "vlan 100, qos 3, tx rate 100 (Mbps), max_tx_rate 100Mbps, spoof checking off, link-state auto, trust on",
    ) as string,
    records: `${vf}.json`,
    lease: [pod.containerId, "net1"],
  });
  const nic = { name: "net1", mac, sandbox: pod.netns };
  expect(result["interfaces"]).toEqual([isOld ? nic : { ...nic, mtu: 9000, pciID: vf }]);
  const ip = { address: "192.0.2.2/24", gateway: "192.0.2.1", interface: 0 };
  expect(result["ips"]).toEqual([isOld ? { version: "4", ...ip } : ip]);

  const later = { ...config, prevResult: result };
  const listed = {
    ...config,
    "cni.dev/valid-attachments": [{ containerID: pod.containerId, ifname: "net1" }],
  };
  const calls: readonly NodeCall[] = [
    { command: "CHECK", config: later, ...ofPod },
    { command: "GC", config: listed },
    { command: "STATUS", config },
  ];
  const [check, gc, status, ...stillThere] = await runScripts(
    lab.node,
    [...calls.map(formatCall), ...look(name)],
    view,
  );
  expect([check, gc, status].map(codeOf)).toEqual([codes.check, codes.gc, codes.status]);
  expect(readAttached(stillThere)).toEqual(attached);

  const ends: readonly NodeCall[] = [
    { command: "DEL", config: later, ...ofPod },
    { command: "DEL", config, ...ofPod, netns: "" },
    { command: "CHECK", config: later, ...ofPod },
  ];
  const gone = [
    `test -e ${devInfo}`,
    "ls /var/lib/virtfn/attachments",
    `ip -n ${pod.name} -br link`,
    `cat /var/lib/cni/networks/${name}/192.0.2.2`,
  ];
  const [del, again, checkAfterDel, info, records, links, leaseLeft] = await runScripts(
    lab.node,
    [...ends.map(formatCall), ...gone],
    view,
  );
  expect([del, again, checkAfterDel].map(codeOf)).toEqual([0, 0, codes.checkAfterDel]);
  expect(info?.exitCode).toBe(1);
  expect([records?.stdout, links?.stdout.split("\n").length, leaseLeft?.exitCode]).toEqual(["", 1, 1]);
  await waitForVfState(lab.node, before);
});

/** What the scripts of `look` showed. */
function readAttached([link, routes, ofPf, records, leaseFile]: readonly ScriptResult[]): {
  readonly link: PodLink;
  readonly routes: readonly string[];
  readonly ofPf: string | undefined;
  readonly records: string | undefined;
  readonly lease: readonly string[] | undefined;
} {
  return {
    link: readPodLink(link),
    routes: readPodRoutes(routes),
    ofPf: ofPf?.stdout,
    records: records?.stdout,
    lease: leaseFile?.stdout.split(/\r?\n/),
  };
}
