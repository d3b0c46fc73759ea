// What the running containers of virtfn may do and see, read from their processes on the node.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { productNamespace } from "./demo/install.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { containerNames, readContainer } from "./support/product-pod.ts";

const lab = await openLabUnderTest();

const noCapability = "0000000000000000";
const seccompFilter = "2";

test.each(["install-cni", "deviceplugin"] as const)(
  "%s has no capability, gets none, and a system call filter",
  async (name) => {
    const { pid } = await readContainer(lab, name);
    const status = await readStatus(pid);
    expect(status).toMatchObject({
      CapInh: noCapability,
      CapPrm: noCapability,
      CapEff: noCapability,
      CapBnd: noCapability,
      CapAmb: noCapability,
    });
    expect(status).toMatchObject({ NoNewPrivs: "1", Seccomp: seccompFilter });
  },
);

test("tuning is privileged", async () => {
  const { pid } = await readContainer(lab, "tuning");
  const [own, init] = await Promise.all([readStatus(pid), readStatus(1)]);
  expect(own["CapEff"]).toBe(init["CapEff"]);
});

test.each(containerNames)("the root of %s is read-only", async (name) => {
  const { pid } = await readContainer(lab, name);
  expect(
    await lab.node.run(`grep -E '^[^ ]+ [^ ]+ [^ ]+ [^ ]+ / ' /proc/${pid}/mountinfo | cut -d' ' -f6`),
  ).toMatch(/^ro\b/);
});

test.each([
  ["install-cni", ["/etc/cni/net.d rw", "/etc/virtfn/cni ro", "/opt/cni/bin rw"]],
  [
    "deviceplugin",
    [
      "/etc/virtfn/deviceplugin ro",
      "/run/k8s.cni.cncf.io rw",
      "/run/virtfn rw",
      "/var/lib/kubelet/device-plugins rw",
      "/var/lib/kubelet/plugins_registry rw",
      "/var/lib/kubelet/pod-resources ro",
      "/var/lib/virtfn ro",
    ],
  ],
  [
    "tuning",
    [
      "/etc/virtfn ro",
      "/run/k8s.cni.cncf.io rw",
      "/run/netns rw",
      "/run/virtfn rw",
      "/var/lib/kubelet/pod-resources ro",
      "/var/lib/virtfn rw",
    ],
  ],
] as const)("%s sees these folders and nothing else of the node", async (name, expected) => {
  const { pid } = await readContainer(lab, name);
  const text = await lab.node.run(`cut -d' ' -f5,6 /proc/${pid}/mountinfo`);
  const mounts = text.split("\n").map((line) => line.replace(/,.*/, ""));
  // What every container has, and the pods' namespaces below /run/netns.
  const usual = /^\/( |proc|dev|sys|etc\/(hosts|hostname|resolv\.conf) |run\/netns\/)/;
  // iproute2 mounts /run/netns once more, over itself, when it makes a namespace there.
  const own = new Set(mounts.filter((mount) => !usual.test(mount)));
  expect([...own].toSorted()).toEqual(expected);
});

test.each(containerNames)(
  "kubectl logs %s gives lines of JSON, each with a level and a message",
  async (container) => {
    const { pod } = await readContainer(lab, container);
    const lines = (await lab.kubectl.logs({ pod, namespace: productNamespace, container })).split("\n");
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.anything(), msg: expect.any(String) });
  },
);

test("kubectl exec runs the product in its container", async () => {
  const { pod } = await readContainer(lab, "deviceplugin");
  const target = { pod, namespace: productNamespace, container: "deviceplugin" };
  expect(await lab.kubectl.execInPod(target, ["virtfn", "--version"])).toMatch(/\d+\.\d+\.\d+/);
});

test("the API server takes the overlay for clusters with Multus", async () => {
  const overlay = fileURLToPath(new URL("../../deploy/kustomize/overlays/multus", import.meta.url));
  const said = await lab.kubectl.run(["apply", "-k", overlay, "--dry-run=server"]);
  expect(said.split("\n")).toContain("daemonset.apps/virtfn configured (server dry run)");
});

async function readStatus(pid: number): Promise<Readonly<Record<string, string>>> {
  const text = await lab.node.run(`cat /proc/${pid}/status`);
  return Object.fromEntries(text.split("\n").map((line) => line.split(/:\s+/) as [string, string]));
}
