// VFs made, bound and left alone by the init container of the overlay, on the real driver.
import { afterAll, expect, test } from "vitest";

import { forwardPodResources } from "./cluster/pod-resources.ts";
import { deletePods, startPods } from "./demo/pods.ts";
import { demoVfs } from "./demo/steps.ts";
import { waitForAllocatable } from "./support/allocatable.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { provisionByPod, removeProvisionPods } from "./support/provision-pods.ts";

const lab = await openLabUnderTest();
const forwarded = await forwardPodResources(lab.node, lab.handle.netns);
const devices = "/sys/bus/pci/devices";
/** With the VFs of the demo, and without any. */
const [usedPf, emptyPf] = ["0000:21:00.0", "0000:41:00.0"];
const pods = ["provision-make", "provision-again", "provision-used"] as const;
const knownWithinMs = 20_000;

afterAll(async () => {
  await deletePods(lab, ["holder"]);
  await removeProvisionPods(lab, pods);
  const pf = `${devices}/${emptyPf}`;
  await lab.node.run(`echo 0 > ${pf}/sriov_numvfs; ip link set $(ls ${pf}/net) down`);
  await forwarded[Symbol.asyncDispose]();
});

async function readDrivers(pf: string): Promise<string> {
  return lab.node.run(
    `for vf in ${devices}/${pf}/virtfn*; do basename $(readlink -f $vf/driver); done | sort | uniq -c | xargs`,
  );
}

test("a PF that is down gets its VFs, and those of a resource their driver, once", async ({ annotate }) => {
  const config = {
    provision: [
      { rootDevices: [emptyPf], numVfs: 3 },
      { resourceName: "spare", driver: "vfio-pci" },
    ],
    resourceList: [{ resourceName: "spare", selectors: { rootDevices: [`${emptyPf}#2`] } }],
  };
  await lab.node.run(`modprobe vfio-pci; ip link set $(ls ${devices}/${emptyPf}/net) down`);
  const report = await provisionByPod(lab, pods[0], config);
  await annotate(report);
  expect(report).toMatch(new RegExp(`\\(${emptyPf}\\): bring it up, make 3 VFs`));
  expect(report).toMatch(/sriov\/spare: give 0000:41:\S+ to vfio-pci/);
  expect(await readDrivers(emptyPf)).toBe("2 igbvf 1 vfio-pci");
  await waitForAllocatable(forwarded, demoVfs + 2, knownWithinMs);
  const again = await provisionByPod(lab, pods[1], config);
  expect(again).toMatch(new RegExp(`\\(${emptyPf}\\): as it shall be\\nsriov/spare: its VFs have vfio-pci`));
});

test("a PF whose VF a pod has keeps its VFs, the pod is named, and the init container lets the pod go on", async ({
  annotate,
}) => {
  await startPods(lab, { holder: 1 });
  const report = await provisionByPod(lab, pods[2], {
    provision: [{ rootDevices: [usedPf], numVfs: 3 }],
    resourceList: [],
  });
  await annotate(report);
  expect(report).toContain("ERR_VFS_IN_USE");
  expect(report).toContain("pod default/holder has 0000:21:");
  expect(await readDrivers(usedPf)).toBe(`${demoVfs} igbvf`);
});
