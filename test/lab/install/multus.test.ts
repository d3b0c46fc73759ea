// Way 1 beside the real Multus: its example, a pod that says more in its annotation, and a network that is gone before its pod.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { installVirtfn, waitForRollout } from "../demo/install.ts";
import { vfPod } from "../demo/manifests.ts";
import { type PodVf, readPodVfs } from "../demo/pod-vfs.ts";
import { deletePods, waitForReadyPods } from "../demo/pods.ts";
import { demoVfs } from "../demo/steps.ts";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { provideMultus } from "../prepare/multus.ts";
import { createWorkshop } from "../prepare/workshop.ts";
import { createProgress } from "../progress.ts";
import { renderForLab } from "../support/lab-manifests.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { installMultus, removeMultus } from "../support/multus-node.ts";
import { readLeftovers } from "../support/node-leftovers.ts";

const multus = await provideMultus(createWorkshop({ progress: createProgress() }));
const lab = await openLabUnderTest();
const { kubectl, node } = lab;
const fromExample = "way-multus";
const withWishes = "multus-wishes";
let before = "";

/** What Multus writes on a pod. Source: the de-facto standard, section 4.1.2. */
interface NetworkStatus {
  readonly name: string;
  readonly interface?: string;
  readonly ips?: readonly string[];
  readonly mac?: string;
  readonly "device-info"?: { readonly type: string; readonly pci?: { readonly "pci-address": string } };
}

beforeAll(async () => {
  if ("reason" in multus) return;
  before = await readVfState(node);
  await installMultus(lab, multus.executable);
  const manifests = await renderForLab(lab, "examples/ways/multus");
  await kubectl.apply(manifests.filter(({ kind }) => kind !== "Pod"));
  await waitForRollout(kubectl, "virtfn");
});

beforeEach(({ skip }) => {
  if ("reason" in multus) skip(multus.reason);
});

afterAll(async () => {
  if ("reason" in multus) return;
  try {
    await deletePods(lab, [fromExample, withWishes]);
  } finally {
    await removeMultus(lab);
  }
  await installVirtfn(kubectl, demoVfs);
  await waitForVfState(node, before);
});

test("the example's pod has net1 on the VF that the kubelet chose, and Multus tells its device", async () => {
  const manifests = await renderForLab(lab, "examples/ways/multus");
  await kubectl.apply(manifests.filter(({ kind }) => kind === "Pod"));
  await waitForReadyPods(lab, [fromExample]);
  const vf = await readVf(fromExample);
  expect(vf).toMatchObject({ name: "net1", address: expect.stringMatching(/^10\.56\.0\./) as string });
  expect(await readStatus(fromExample)).toEqual({
    name: "default/blue",
    interface: "net1",
    ips: [vf.address],
    mac: vf.mac,
    dns: {},
    "device-info": {
      type: "pci",
      version: "1.1.0",
      pci: expect.objectContaining({ "pci-address": vf.pciAddress }) as object,
    },
    mtu: 1500,
  });
  expect(await node.run("ip link show ens1 | grep -c 'vlan 100'")).toBe("1");
  await expectRecordsOf(1);
});

test("MAC, address and interface of the annotation are the VF's", async () => {
  const wishes = [{ name: "blue", interface: "fast0", mac: "02:00:00:00:00:77", ips: ["10.56.0.77/24"] }];
  const pod = vfPod({ name: withWishes, vfs: 1, image: lab.toolsImage }) as { readonly metadata: object };
  const annotations = { "k8s.v1.cni.cncf.io/networks": JSON.stringify(wishes) };
  await kubectl.apply([{ ...pod, metadata: { ...pod.metadata, annotations } }]);
  await waitForReadyPods(lab, [withWishes]);
  const vf = await readVf(withWishes);
  expect(vf).toMatchObject({ name: "fast0", mac: "02:00:00:00:00:77", address: "10.56.0.77" });
  expect(await readStatus(withWishes)).toMatchObject({ interface: "fast0", ips: ["10.56.0.77"] });
  await expectRecordsOf(2);
});

test("without the network that they were made by the pods end, and their VFs are as before", async () => {
  await kubectl.run(["delete", "network-attachment-definitions.k8s.cni.cncf.io", "blue"]);
  await deletePods(lab, [fromExample, withWishes]);
  await waitForVfState(node, before);
  expect(await readLeftovers(node)).toEqual({ records: [], leases: [] });
});

/** The one VF inside the pod. */
async function readVf(pod: string): Promise<PodVf> {
  const [vf, ...more] = await readPodVfs(lab, [pod]);
  if (vf === undefined || more.length > 0)
    throw new Error(`${pod}: expected one VF, got ${vf === undefined ? 0 : more.length + 1}`);
  return vf;
}

/** Of the network that is not the cluster's own. */
async function readStatus(pod: string): Promise<NetworkStatus | undefined> {
  const { metadata } = await kubectl.getJson<{
    readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  }>(["get", "pod", pod]);
  const text = metadata.annotations["k8s.v1.cni.cncf.io/network-status"] ?? "[]";
  return (JSON.parse(text) as readonly NetworkStatus[]).find(({ name }) => name === "default/blue");
}

async function expectRecordsOf(pods: number): Promise<void> {
  const { records, leases } = await readLeftovers(node);
  expect([records.length, leases.filter(({ text }) => text !== "").length]).toEqual([pods, pods]);
}
