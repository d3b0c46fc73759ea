// What was moved aside, as a list: each file once, with its reason where there is one.

import { expect, test } from "vitest";

import { quarantineAttachment } from "../../../sriov/attachment-store.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { listQuarantined } from "../../../sriov/quarantined.ts";
import { quarantineTuningRecord } from "../../../sriov/tuning-store.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const address = parsePciAddress("0000:3b:02.1");

test("a node where nothing was moved aside has none", () => {
  using node = createFakeHost();
  expect(listQuarantined(node.host)).toEqual([]);
});

test("records of VFs and of tuning are there, one whose reason found no room without it", async () => {
  using node = createFakeHost();
  const { files, paths } = node.host;
  const aside: (string | undefined)[] = [];
  for (const reason of ["the file is empty", "it is not JSON"]) {
    files.writeAtomic(`${paths.attachments}/${address}.json`, "");
    aside.push(quarantineAttachment(node.host, address, reason));
    await node.clock.advance(1);
  }
  files.remove(`${aside[1]}.reason`);
  files.writeAtomic(`${paths.tuningState}/${address}.json`, "");
  const tuning = quarantineTuningRecord(node.host, address);
  expect(listQuarantined(node.host)).toEqual([
    { path: aside[0], reason: "the file is empty" },
    { path: aside[1], reason: undefined },
    { path: tuning, reason: undefined },
  ]);
});
