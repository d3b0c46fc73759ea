// Uevents as the kernel writes them, one or several in a read.
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { parseUevents } from "../../../host/uevent.ts";

const bind =
  "bind@/devices/pci0000:00/0000:00:01.0\0ACTION=bind\0DEVPATH=/devices/pci0000:00/0000:00:01.0\0SUBSYSTEM=pci\0DRIVER=igbvf\0SEQNUM=1\0";
const queue = "add@/devices/virtual/net/v0/queues/rx-0\0ACTION=add\0SUBSYSTEM=queues\0SEQNUM=2\0";

test("action, device and subsystem of each message are found", () => {
  expect(parseUevents(bind + queue)).toEqual([
    { action: "bind", devicePath: "/devices/pci0000:00/0000:00:01.0", subsystem: "pci" },
    { action: "add", devicePath: "/devices/virtual/net/v0/queues/rx-0", subsystem: "queues" },
  ]);
});

test("a message that is cut keeps what it has, the rest of one is passed over", () => {
  expect(parseUevents(bind.slice(0, 45))).toEqual([
    { action: "bind", devicePath: "/devices/pci0000:00/0000:00:01.0", subsystem: "" },
  ]);
  expect(parseUevents("SUBSYSTEM=pci\0SEQNUM=3\0")).toEqual([]);
});

test("no text makes it fail", () => {
  const property = fc.property(fc.string({ unit: "binary" }), (text) => parseUevents(text).length >= 0);
  expect(fc.check(property).counterexample).toBeNull();
});
