// VFs come, go and lose their driver while the device plugin runs: the kubelet knows soon, without a restart of anything.
import { afterAll, expect, test } from "vitest";
import { forwardPodResources } from "./cluster/pod-resources.ts";
import { demoVfs } from "./demo/steps.ts";
import { waitForAllocatable } from "./support/allocatable.ts";
import { openLabUnderTest } from "./support/lab-under-test.ts";
import { readContainer } from "./support/product-pod.ts";

const lab = await openLabUnderTest();
const forwarded = await forwardPodResources(lab.node, lab.handle.netns);
const devices = "/sys/bus/pci/devices";
/** The node's second PF, which has no VFs at boot. */
const pf = "0000:41:00.0";
const moreVfs = 3;
const knownWithinMs = 20_000;

afterAll(async () => {
  await lab.node.run(`echo 0 > ${devices}/${pf}/sriov_numvfs; ip link set $(ls ${devices}/${pf}/net) down`);
  await forwarded[Symbol.asyncDispose]();
});

test("a changed VF count and a VF without its driver are in GetAllocatableResources", async ({
  annotate,
}) => {
  const { restartCount } = await readContainer(lab, "deviceplugin");
  const steps = [
    [
      "VFs made",
      `ip link set $(ls ${devices}/${pf}/net) up; echo ${moreVfs} > ${devices}/${pf}/sriov_numvfs`,
      demoVfs + moreVfs,
    ],
    [
      "driver gone",
      `basename $(readlink -f ${devices}/${pf}/virtfn1) > ${devices}/${pf}/virtfn1/driver/unbind`,
      demoVfs + moreVfs - 1,
    ],
    [
      "driver back",
      `basename $(readlink -f ${devices}/${pf}/virtfn1) > /sys/bus/pci/drivers/igbvf/bind`,
      demoVfs + moreVfs,
    ],
    ["VFs removed", `echo 0 > ${devices}/${pf}/sriov_numvfs`, demoVfs],
  ] as const;
  for (const [title, change, count] of steps) {
    await lab.node.run(change);
    const tookMs = await waitForAllocatable(forwarded, count, knownWithinMs);
    await annotate(`${title}: known after ${(tookMs / 1000).toFixed(1)} s`);
  }
  expect((await readContainer(lab, "deviceplugin")).restartCount).toBe(restartCount);
});
