// The shapes that a pod's requests may have: whatever containers ask, its network namespace has each VF of the pod once.
import { afterAll, beforeAll, expect, test } from "vitest";
import { podDefaults, vfContainer } from "../demo/manifests.ts";
import { deletePods, waitForReadyPods } from "../demo/pods.ts";
import { readVfState, waitForVfState } from "../demo/vf-state.ts";
import { openLabUnderTest } from "../support/lab-under-test.ts";
import { readPodRecords } from "../support/pod-records.ts";

const lab = await openLabUnderTest();
let before = "";

/** How many VFs each container of the pod asks for. */
interface Shape {
  readonly init?: number;
  readonly sidecar?: number;
  readonly containers: readonly number[];
  /** Interfaces that the pod has then. */
  readonly expected: readonly string[];
}

const shapes: Readonly<Record<string, Shape>> = {
  "shape-init-only": { init: 1, containers: [0], expected: ["net1"] },
  "shape-init-2-app-1": { init: 2, containers: [1], expected: ["net1", "net2"] },
  "shape-sidecar": { sidecar: 1, containers: [1], expected: ["net1", "net2"] },
  "shape-two-containers": { containers: [1, 1], expected: ["net1", "net2"] },
};
const names = Object.keys(shapes);

beforeAll(async () => {
  before = await readVfState(lab.node);
  await lab.kubectl.apply(Object.entries(shapes).map(([name, shape]) => shapedPod(name, shape)));
});

afterAll(async () => {
  await deletePods(lab, names);
  await waitForVfState(lab.node, before);
});

test("every pod has the VFs that its containers were given, each once", async () => {
  await waitForReadyPods(lab, names);
  const records = await readPodRecords(lab.node);
  for (const [name, { expected }] of Object.entries(shapes)) {
    const output = await lab.kubectl.execInPod({ pod: name, container: "main-1" }, [
      "ip",
      "-j",
      "-d",
      "link",
      "show",
    ]);
    const links: readonly { readonly ifname: string; readonly parentdev?: string }[] = JSON.parse(output);
    const vfs = links.filter(({ parentdev }) => parentdev !== undefined);
    expect.soft(vfs.map(({ ifname }) => ifname).toSorted(), name).toEqual(expected);
    const recorded = records
      .filter(({ owner }) => owner.pod?.name === name)
      .map((record) => `${record.device.address} ${record.interface}`);
    const found = vfs.map(({ ifname, parentdev }) => `${parentdev ?? ""} ${ifname}`);
    expect.soft(recorded.toSorted(), name).toEqual(found.toSorted());
  }
});

function shapedPod(name: string, { init, sidecar, containers }: Shape): object {
  const image = lab.toolsImage;
  const first =
    init === undefined ? [] : [vfContainer({ name: "first", image, vfs: init, command: ["true"] })];
  const beside =
    sidecar === undefined
      ? []
      : [{ ...vfContainer({ name: "beside", image, vfs: sidecar }), restartPolicy: "Always" }];
  const spec = {
    ...podDefaults,
    initContainers: [...first, ...beside],
    containers: containers.map((vfs, at) => vfContainer({ name: `main-${at + 1}`, image, vfs })),
  };
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}
