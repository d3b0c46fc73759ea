// The manifests of the ways to use virtfn (deploy/examples/ways), applied to the cluster: each gives its pod a VF, which comes back.
import { afterAll, beforeAll, expect, test } from "vitest";
import { installVirtfn, productNamespace, waitForRollout } from "../demo/install.ts";
import { deletePods, waitForReadyPods } from "../demo/pods.ts";
import { demoVfs } from "../demo/steps.ts";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { renderForLab } from "../support/lab-manifests.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { networkDefinition } from "../support/multus-node.ts";
import { readLeftovers } from "../support/node-leftovers.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { kubectl, node } = lab;
/** The CNI makes its VFs at the first pod. */
const otherPf = "ens2";
let before = "";

interface Link {
  readonly ifname: string;
  readonly parentdev?: string;
}

beforeAll(async () => {
  before = await readVfState(node);
});

afterAll(async () => {
  await deletePods(lab, ["way-chained", "way-without-device-plugin", "way-only-network"]);
  await kubectl.run([
    "delete",
    "--ignore-not-found",
    "-n",
    productNamespace,
    "daemonset/virtfn-node-files",
    "configmap/virtfn-node-files",
  ]);
  await node.run(`rm -f /etc/cni/net.d/00-virtfn.conflist /etc/virtfn/node.yaml
    echo 0 >/sys/class/net/${otherPf}/device/sriov_numvfs`);
  await installVirtfn(kubectl, demoVfs);
  await followConfigMap('"subnet": *"10.56.0.0/24"');
  await waitForVfState(node, before);
});

test("chained: net1 beside eth0, in the VLAN of the entry", async () => {
  const pod = await startWay("chained", async () => followConfigMap('"vlan": *100'));
  const [vf] = await readVfs(pod);
  expect(vf?.ifname).toBe("net1");
  expect(await addressesOf(pod, "net1")).toContain("10.56.0.");
  expect(await addressesOf(pod, "eth0")).toContain("10.244.1.");
  expect(await node.run("ip link show ens1 | grep -c 'vlan 100'")).toBe("1");
  await endWay(pod);
});

test("without a device plugin: the first pod has the VFs of the named PF made, and gets one with its route", async () => {
  const pod = await startWay("without-device-plugin", async () => followConfigMap(`"pf": *"${otherPf}"`));
  expect((await readVfs(pod)).map(({ ifname }) => ifname)).toEqual(["net1"]);
  expect(await addressesOf(pod, "net1")).toContain("10.56.0.");
  expect(await kubectl.execInPod({ pod }, ["ip", "route"])).toContain(
    "198.51.100.0/24 via 10.56.0.1 dev net1",
  );
  expect(await node.run(`cat /sys/class/net/${otherPf}/device/sriov_numvfs`)).not.toBe("0");
  await endWay(pod);
});

test("the pod's only network: eth0 is the VF, with the default route", async () => {
  const pod = await startWay("only-network", async () => {
    await waitUntil(
      "the plugin list",
      async () => node.run("grep -q virtfn /etc/cni/net.d/00-virtfn.conflist"),
      {
        timeoutMs: 60_000,
      },
    );
  });
  expect((await readVfs(pod)).map(({ ifname }) => ifname)).toEqual(["eth0"]);
  expect(await addressesOf(pod, "eth0")).toContain("10.56.0.");
  expect(await kubectl.execInPod({ pod }, ["ip", "route"])).toContain("default via 10.56.0.1 dev eth0");
  await endWay(pod);
});

test("with Multus: the API server takes the manifests of the way", async () => {
  await kubectl.apply([networkDefinition]);
  await kubectl.run(["wait", "--for=condition=Established", `crd/${networkDefinition.metadata.name}`]);
  try {
    const manifests = await renderForLab(lab, "examples/ways/multus");
    const input = { stdin: JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }) };
    const said = await kubectl.run(["apply", "--dry-run=server", "-f", "-"], input);
    expect(said.split("\n")).toEqual(
      expect.arrayContaining([
        "networkattachmentdefinition.k8s.cni.cncf.io/blue created (server dry run)",
        "pod/way-multus created (server dry run)",
      ]),
    );
  } finally {
    await kubectl.run(["delete", `crd/${networkDefinition.metadata.name}`]);
  }
});

/** Applies a way, its pod last, once the node is `ready` for it; gives the pod's name when it runs. */
async function startWay(way: string, ready: () => Promise<void>): Promise<string> {
  const manifests = await renderForLab(lab, `examples/ways/${way}`, otherPf);
  await kubectl.apply(manifests.filter(({ kind }) => kind !== "Pod"));
  const daemonSets = manifests.filter(({ kind }) => kind === "DaemonSet");
  for (const { metadata } of daemonSets) await waitForRollout(kubectl, metadata.name);
  await ready();
  await kubectl.apply(manifests.filter(({ kind }) => kind === "Pod"));
  const pod = `way-${way}`;
  await waitForReadyPods(lab, [pod]);
  return pod;
}

async function endWay(pod: string): Promise<void> {
  await deletePods(lab, [pod]);
  expect(await readLeftovers(node)).toEqual({ records: [], leases: [] });
}

/** Waits until the CNI configuration has what matches; a change of the pod has the kubelet look at its ConfigMaps at once, not in a minute. */
async function followConfigMap(pattern: string): Promise<void> {
  const label = ["-n", productNamespace, "-l", "app.kubernetes.io/name=virtfn"];
  await kubectl.run(["annotate", "pod", "--overwrite", ...label, `lab/looked-at=${Date.now()}`]);
  await waitUntil(
    "the chained entry",
    async () => node.run(`grep -Eq '${pattern}' /etc/cni/net.d/*.conflist`),
    {
      timeoutMs: 120_000,
    },
  );
}

async function readVfs(pod: string): Promise<readonly Link[]> {
  const links = JSON.parse(await kubectl.execInPod({ pod }, ["ip", "-j", "-d", "link"])) as readonly Link[];
  return links.filter(({ parentdev }) => parentdev !== undefined);
}

async function addressesOf(pod: string, link: string): Promise<string> {
  return await kubectl.execInPod({ pod }, ["ip", "-br", "-4", "address", "show", link]);
}
