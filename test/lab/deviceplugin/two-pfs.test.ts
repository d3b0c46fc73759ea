// The Helm chart's objects on the node: VFs made at the start, resources on two NUMA nodes, their limits and tuning, CDI, labels and Events, faults of the NIC.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { renderChart } from "../../support/helm-template.ts";
import { LAB_NETWORK } from "../artifacts.ts";
import { waitForNode, waitForPods } from "../cluster/wait-for.ts";
import { installVirtfn, productNamespace, waitForRollout } from "../demo/install.ts";
import { podDefaults, vfContainer } from "../demo/manifests.ts";
import { deletePods, waitForReadyPods } from "../demo/pods.ts";
import { demoVfs } from "../demo/steps.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { readContainer } from "../support/product-pod.ts";
import { installVfioProgram } from "../support/vfio-program.ts";
import { waitUntil } from "../wait-until.ts";

const lab = await openLabUnderTest();
const { kubectl, node } = lab;
const chart = fileURLToPath(new URL("../../../deploy/helm/virtfn", import.meta.url));
const networkOf = (resource: string, third: number): object => ({
  resource,
  ipam: { type: "host-local", ranges: [[{ subnet: `10.56.${third}.0/24` }]] },
});
const limits = { vlans: ["100", "200-209"] };
const values = {
  image: { repository: "localhost/virtfn", tag: "lab", pullPolicy: "Never" },
  deviceplugin: {
    provision: [{ pfNames: ["ens2"], numVfs: 7 }],
    resourceList: [
      { resourceName: "left", selectors: { pfNames: ["ens1"] } },
      { resourceName: "dpdk", driver: "vfio-pci", selectors: { pfNames: ["ens2#6"] } },
      { resourceName: "limited", limits, selectors: { pfNames: ["ens2#5"] } },
      {
        resourceName: "right",
        tuning: { policy: "explicit", cpus: "3" },
        selectors: { pfNames: ["ens2"] },
      },
    ],
  },
  networks: [
    networkOf("sriov/left", 0),
    networkOf("sriov/right", 1),
    { resource: "sriov/dpdk", driver: "vfio-pci" },
    { ...networkOf("sriov/limited", 2), vlan: 300 },
  ],
  provision: true,
  cdi: true,
  report: true,
};
const all = { "sriov/left": 7, "sriov/right": 5, "sriov/limited": 1, "sriov/dpdk": 1 };
const secondPfGone = { ...all, "sriov/right": 0, "sriov/limited": 0, "sriov/dpdk": 0 };
/** On the node, and at the same path in pods. */
const program = "/run/vfio-map";
const pods: string[] = [];

beforeAll(async () => {
  await node.run(`mkdir -p /etc/virtfn; echo 'limits: { "*": { driver: vfio-pci } }' >/etc/virtfn/node.yaml
    modprobe vfio-pci`);
  await installVfioProgram(node, program);
  await applyChart(values);
  await waitForAllocatable(all);
});

afterAll(async () => {
  await deletePods(lab, pods);
  await node.run(`rm -f /etc/virtfn/node.yaml ${program}; echo 0 >/sys/class/net/ens2/device/sriov_numvfs`);
  // What the lab's overlay has not would stay.
  await kubectl.run(["delete", "-n", productNamespace, "daemonset/virtfn", "configmap/virtfn-deviceplugin"]);
  await kubectl.run(["delete", "clusterrole,clusterrolebinding", "-l", "app.kubernetes.io/name=virtfn"]);
  await installVirtfn(kubectl, demoVfs);
});

test("VFs that provisioning made are offered, and the node's labels say so", async () => {
  await waitUntil(
    "the labels",
    async () => expect(await readLabels()).toMatchObject({ "virtfn/vfs": "14", "virtfn/driver.igb": "true" }),
    { timeoutMs: 60_000, intervalMs: 1000 },
  );
});

test("two VFs of one NUMA node are given together; one of each NUMA node is refused by the kubelet's topology manager", async () => {
  await startPod("pair", { "sriov/right": 2 });
  await waitForReadyPods(lab, ["pair"]);
  await startPod("torn", { "sriov/left": 1, "sriov/right": 1 });
  const [torn] = await waitForPods(kubectl, ["torn"], ({ status }) => status.phase === "Failed", {
    timeoutMs: 60_000,
  });
  expect(torn?.status.reason).toBe("TopologyAffinityError");
  const links = JSON.parse(await kubectl.execInPod({ pod: "pair" }, ["ip", "-j", "-d", "link"])) as readonly {
    readonly ifname: string;
    readonly parentdev?: string;
  }[];
  const vfs = links.filter(({ parentdev }) => parentdev !== undefined);
  expect(vfs.map(({ ifname }) => ifname)).toEqual(["net1", "net2"]);
  for (const { parentdev } of vfs)
    expect(await node.run(`basename $(readlink -f /sys/bus/pci/devices/${parentdev}/physfn/net/*)`)).toBe(
      "ens2",
    );
});

test("a pod of the vfio resource sees the node of its VF's group, by CDI, and a program in it maps memory for the VF", async () => {
  await startPod("fast", { "sriov/dpdk": 1 });
  await waitForReadyPods(lab, ["fast"]);
  const vf = (await kubectl.execInPod({ pod: "fast" }, ["sh", "-c", "echo $PCIDEVICE_SRIOV_DPDK"])).trim();
  const group = await node.run(`basename $(readlink /sys/bus/pci/devices/${vf}/iommu_group)`);
  const nodes = await kubectl.execInPod({ pod: "fast" }, ["ls", "/dev/vfio"]);
  expect(nodes.split("\n")).toEqual([group, "vfio"]);
  expect((await kubectl.execInPod({ pod: "fast" }, [program, group, vf])).trim()).toBe("mapped");
  expect(await node.run("cat /run/cdi/virtfn.sriov-net-dpdk.json")).toContain(`/dev/vfio/${group}`);
  expect(await node.run(`basename $(readlink /sys/bus/pci/devices/${vf}/driver)`)).toBe("vfio-pci");
});

test("a resource's tuning is where its pods' interrupts go", async () => {
  const queues = "cat /proc/irq/*/net[12]-[rt]x-0/../smp_affinity_list";
  await waitUntil(
    "the pins of pair's two queues each",
    async () => expect((await node.run(queues)).split("\n")).toEqual(["3", "3", "3", "3"]),
    { timeoutMs: 60_000, intervalMs: 1000 },
  );
});

test("a network that asks for more than its resource's limits is refused by name; once they allow it, the same pod starts", async () => {
  await startPod("tagged", { "sriov/limited": 1 });
  await waitUntil(
    "the refusal",
    async () => expect(await readEvents()).toMatch(/ERR_NETWORK_CONFIG.*vlan.*sriov\/limited.*300/),
    { timeoutMs: 60_000, intervalMs: 1000 },
  );
  const wider = values.deviceplugin.resourceList.map((resource) =>
    resource.resourceName === "limited" ? { ...resource, limits: { vlans: ["300"] } } : resource,
  );
  await applyChart({ ...values, deviceplugin: { ...values.deviceplugin, resourceList: wider } });
  // A pod that changes is looked at at once, and with it its ConfigMaps.
  const { pod } = await readContainer(lab, "deviceplugin");
  await kubectl.run(["annotate", "pod", "-n", productNamespace, pod, "limits=wider"]);
  await waitForReadyPods(lab, ["tagged"]);
  expect(await node.run("ip -d link show ens2")).toMatch(/vf 5 .*vlan 300/);
});

test("what looks, inside its container: status, doctor and explain know the pods", async () => {
  const status = await inTuning("virtfn", "status");
  expect(status).toMatch(/0000:41:\S+ +sriov\/right +healthy +default\/pair +net1/);
  expect(status).toMatch(/0000:41:\S+ +sriov\/dpdk +healthy +default\/fast/);
  const explained = await inTuning("virtfn", "explain", "pod", "default/pair");
  expect(explained).toMatch(/interrupts +ok/);
  expect(explained).not.toMatch(/ (error|warn|unknown) /);
  expect(await inTuning("virtfn", "doctor")).toMatch(/checks: 0 errors/);
});

test("provisioning leaves VFs that pods use, and names the pods", async () => {
  const fewer = { ...values.deviceplugin, provision: [{ pfNames: ["ens2"], numVfs: 3 }] };
  await applyChart({ ...values, deviceplugin: fewer });
  const { pod } = await readContainer(lab, "deviceplugin");
  await kubectl.run(["delete", "pod", "-n", productNamespace, pod, "--wait=true"]);
  await waitForRollout(kubectl, "virtfn");
  const log = await kubectl.run(["logs", "-n", productNamespace, "daemonset/virtfn", "-c", "provision"]);
  expect(log).toContain("ERR_VFS_IN_USE");
  expect(log).toContain("default/pair");
  expect(await node.run("cat /sys/class/net/ens2/device/sriov_numvfs")).toBe("7");
  await waitForAllocatable(all);
});

test("a PF without link: its VFs are unhealthy with that reason, an Event tells, and all is well when it is back", async ({
  annotate,
}) => {
  await setLink(false);
  await annotate(`cut: ${await waitForAllocatable(secondPfGone)} ms`);
  expect(await inTuning("virtfn", "status")).toMatch(/unhealthy, the PF ens2 has no link: .*0000:41/);
  await setLink(true);
  await annotate(`restored: ${await waitForAllocatable(all)} ms`);
  const events = await readEvents();
  expect(events).toMatch(/DevicesUnhealthy +.*ens2 has no link/);
  expect(events).toMatch(/DevicesHealthy/);
});

test("the whole NIC taken out and put in again: its VFs are gone, made anew by the next start, and offered", async ({
  annotate,
}) => {
  await deletePods(lab, pods);
  await node.qmp(async (qmp) => {
    const gone = qmp.waitForEvent("DEVICE_DELETED", 60_000);
    await qmp.execute("device_del", { id: "pf1" });
    await gone;
  });
  await annotate(`taken out: ${await waitForAllocatable(secondPfGone)} ms`);
  await node.qmp(async (qmp) => {
    await qmp.execute("device_add", {
      driver: "igb",
      id: "pf1",
      bus: "rp1",
      netdev: "n1",
      mac: "52:54:00:00:00:02",
    });
  });
  await waitUntil(
    "the PF",
    async () => node.run("ip link set ens2 up && echo 7 >/sys/class/net/ens2/device/sriov_numvfs"),
    {
      timeoutMs: 60_000,
      intervalMs: 1000,
    },
  );
  await annotate(`put in: ${await waitForAllocatable(all)} ms`);
  expect(await inTuning("virtfn", "status")).not.toContain("unhealthy");
});

async function readLabels(): Promise<Readonly<Record<string, string>>> {
  const { metadata } = await kubectl.getJson<{ metadata: { labels: Record<string, string> } }>([
    "get",
    "node",
    LAB_NETWORK.nodeName,
  ]);
  return metadata.labels;
}

async function readEvents(): Promise<string> {
  const columns = "custom-columns=R:.reason,M:.message";
  return await kubectl.run(["get", "events", "-n", "default", "-o", columns]);
}

/** Plugs the cable of the second PF in or out. */
async function setLink(up: boolean): Promise<void> {
  await node.qmp(async (qmp) => qmp.execute("set_link", { name: "pf1", up }));
}

async function applyChart(of: object): Promise<void> {
  const texts = renderChart(chart, of as Readonly<Record<string, unknown>>);
  const objects = [...texts]
    .filter(([file]) => file !== "NOTES.txt")
    .flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS() as object | null))
    .filter((object) => object !== null);
  await kubectl.apply(objects);
  await waitForRollout(kubectl, "virtfn");
}

/** Waits until the API server says so; gives the milliseconds that took, the kubelet's own report each 2 s included. */
async function waitForAllocatable(allocatable: Readonly<Record<string, number>>): Promise<number> {
  const startMs = performance.now();
  await waitForNode(kubectl, LAB_NETWORK.nodeName, allocatable, { timeoutMs: 90_000, intervalMs: 500 });
  return Math.round(performance.now() - startMs);
}

async function startPod(name: string, limits: Readonly<Record<string, number>>): Promise<void> {
  pods.push(name);
  const container = {
    ...vfContainer({ name: "main", image: lab.toolsImage, vfs: 0 }),
    resources: { limits },
    volumeMounts: [{ name: "program", mountPath: program, readOnly: true }],
  };
  const volumes = [{ name: "program", hostPath: { path: program } }];
  const spec = { ...podDefaults, containers: [container], volumes };
  await kubectl.apply([{ apiVersion: "v1", kind: "Pod", metadata: { name }, spec }]);
}

/** Output of a command in the container tuning, which may be named anew since the last one. */
async function inTuning(...command: readonly string[]): Promise<string> {
  const { pod } = await readContainer(lab, "tuning");
  return await kubectl.execInPod({ pod, namespace: productNamespace, container: "tuning" }, command);
}
