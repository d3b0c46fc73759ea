// Tuning records survive their way to disk and back; what is none is refused with every problem.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatCpuList } from "../../../sriov/cpu-list.ts";
import { formatCpuMask } from "../../../sriov/cpu-mask.ts";
import { parsePciAddress } from "../../../sriov/pci-address.ts";
import {
  formatTuningRecord,
  parseTuningRecord,
  TuningRecordError,
  type TuningRecord,
} from "../../../sriov/tuning-record.ts";

const address = parsePciAddress("0000:3b:02.1");
const path = "/var/lib/virtfn/tuning/0000:3b:02.1.json";

const cpuList = fc.array(fc.nat(300)).map(formatCpuList);
const cpuMask = fc.array(fc.nat(95)).map((cpus) => formatCpuMask(cpus, 3));

function queues(direction: "rx" | "tx") {
  return fc.array(fc.record({ queue: fc.nat().map((n) => `${direction}-${n}`), original: cpuMask }));
}

test("a record is read as it was written", () => {
  const record = fc.record({
    address: fc.constant(address),
    bootId: fc.uuid(),
    inode: fc.bigInt({ min: 1n, max: 2n ** 64n }).map(String),
    vectors: fc.array(fc.record({ msiIndex: fc.nat(), original: cpuList, cpu: fc.nat() })),
    masks: fc.option(
      fc.record({
        owner: fc.string(),
        queues: fc.tuple(queues("rx"), queues("tx")).map((each) => each.flat()),
      }),
      { nil: undefined },
    ),
    channels: fc.option(
      fc.record({
        owner: fc.string(),
        original: fc.record({ combined: fc.nat() }),
        to: fc.record({ rx: fc.nat(), tx: fc.nat() }),
        isSet: fc.boolean(),
      }),
      { nil: undefined },
    ),
    threads: fc.option(
      fc.array(
        fc.record({ pid: fc.nat(), name: fc.string().map((text) => `napi/${text}`), original: cpuList }),
      ),
      { nil: undefined },
    ),
    values: fc.option(
      fc.record({
        owner: fc.string(),
        originals: fc.array(
          fc.record({ path: fc.nat().map((n) => `queues/rx-${n}/rps_flow_cnt`), original: fc.string() }),
        ),
      }),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(record, (value: TuningRecord) => {
      expect(parseTuningRecord(formatTuningRecord(value), address, path)).toEqual(value);
    }),
  );
});

test("any text is a record or an ERR_TUNING_RECORD that names the file", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const error = refusalOf(text);
      expect(
        error === undefined || (error instanceof TuningRecordError && error.message.includes(path)),
      ).toBe(true);
    }),
  );
});

function refusalOf(text: string): unknown {
  try {
    parseTuningRecord(text, address, path);
    return undefined;
  } catch (error) {
    return error;
  }
}

test.each([
  ["", "it is empty"],
  ["{", "it is not JSON"],
  ['{"format":"2.0","bootId":"b","inode":"1","vectors":[]}', "format: expected 1.x"],
  ['{"format":"1.7","bootId":"b","vectors":[{}]}', "inode"],
])("%j is refused because: %s", (text, problem) => {
  expect(() => parseTuningRecord(text, address, path)).toThrow(problem);
});

test("a later minor format is read", () => {
  const text = '{"format":"1.7","bootId":"b","inode":"1","vectors":[],"later":true}';
  expect(parseTuningRecord(text, address, path)).toEqual({ address, bootId: "b", inode: "1", vectors: [] });
});
