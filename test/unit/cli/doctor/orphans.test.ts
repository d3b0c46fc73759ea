// What virtfn doctor says of a VF in a namespace that nobody has a record of.

import { expect, test } from "vitest";

import { findTrouble } from "../../../support/call-doctor.ts";
import { createDoctorNode } from "../../../support/doctor-node.ts";

test("the command that it tells has the interface's name as one word, whatever its pod called it", async () => {
  using node = createDoctorNode();
  node.attach(1, "odd");
  node.host.files.remove(`${node.host.paths.attachments}/${node.address(1)}.json`);
  node.setUp("odd", false);
  using netns = node.host.namespaces.open("/run/netns/odd");
  if (netns === undefined) throw new Error("there is no pod odd");
  using netlink = node.host.openNetlink(netns);
  netlink.setLink(netlink.getLink({ name: "net1" })?.index ?? 0, { set: "name", value: "a;reboot" });
  const { told } = await findTrouble(node);
  expect(told.find(({ check }) => check === "orphans")?.fix).toBe(
    "whoever put it there shall give it back, or: nsenter --net=/run/netns/odd ip link set 'a;reboot' netns 1",
  );
});
