// What could not be read and was moved aside: doctor tells it, as long as it is there.

import { mkdirSync, rmSync } from "node:fs";
import { expect, test } from "vitest";

import { quarantineAttachment } from "../../../../sriov/attachment-store.ts";
import { findTrouble } from "../../../support/call-doctor.ts";
import { createDoctorNode } from "../../../support/doctor-node.ts";

test("records that were set aside are told with path and reason, in one finding that is no error", async () => {
  using node = createDoctorNode();
  const { host } = node;
  const paths = [1, 2].map((vf) => {
    host.files.writeAtomic(`${host.paths.attachments}/${node.address(vf)}.json`, "{");
    return quarantineAttachment(host, node.address(vf), "it is not JSON");
  });
  const { exitCode, told } = await findTrouble(node);
  expect(exitCode).toBe(0);
  expect(told).toEqual([
    {
      check: "set-aside",
      severity: "warn",
      seen: `set aside, since it could not be read: ${paths.map((path) => `${path} (it is not JSON)`).join(", ")}`,
      expected: "none: a power cut or a full disk leaves such, and a downgrade",
      fix: `nothing needs them any more; when they were looked at: rm -r ${host.paths.quarantine}`,
    },
  ]);
  rmSync(host.paths.quarantine, { recursive: true });
  expect(await findTrouble(node)).toEqual({ exitCode: 0, told: [] });
});

test("where they cannot be read, that is unknown, and records are judged all the same", async () => {
  using node = createDoctorNode();
  const { host } = node;
  host.files.writeAtomic(`${host.paths.attachments}/${node.address(1)}.json`, "{");
  host.files.writeAtomic(`${host.paths.quarantine}/old.json`, "{");
  mkdirSync(`${host.paths.quarantine}/old.json.reason`);
  const { exitCode, told } = await findTrouble(node);
  expect(exitCode).toBe(1);
  expect(told.map(({ check, severity }) => `${check} ${severity}`)).toEqual([
    "records error",
    "set-aside unknown",
  ]);
});
