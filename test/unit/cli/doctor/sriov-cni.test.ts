// What virtfn doctor says of pods that sriov-cni started before virtfn took its place.

import { expect, test } from "vitest";

import { findTrouble } from "../../../support/call-doctor.ts";
import { createDoctorNode } from "../../../support/doctor-node.ts";

test("nobody is told to take the VF of such a pod out of its namespace", async () => {
  using node = createDoctorNode();
  node.attach(1, "odd");
  node.host.files.remove(`${node.host.paths.attachments}/${node.address(1)}.json`);
  const told = async (): Promise<string> => JSON.stringify(await findTrouble(node));
  expect(await told()).toContain("nsenter --net=/run/netns/odd");
  node.write(`var/lib/cni/sriov/pci/${node.address(1)}`, "/var/run/netns/odd");
  expect(await told()).toContain("sriov-cni gave it to a pod");
  expect(await told()).not.toContain("nsenter");
});
