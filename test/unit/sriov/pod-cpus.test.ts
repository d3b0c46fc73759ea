// The file of pods' CPUs: what is written is read, and what is no such file is told.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { formatPodCpus, parsePodCpus, readPodCpus, writePodCpus } from "../../../sriov/pod-cpus.ts";
import { codeOf } from "../../support/code-of.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const cpus = fc.array(fc.nat());

test("what is written is read, the same for any order of pods", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string(), cpus), { selector: ([pod]) => pod }),
      cpus,
      (pods, all) => {
        const text = formatPodCpus({ exclusive: new Map(pods), allocatable: all });
        expect(parsePodCpus(text, "file")).toEqual({ exclusive: new Map(pods), allocatable: all });
        expect(formatPodCpus({ exclusive: new Map(pods.toReversed()), allocatable: all })).toBe(text);
      },
    ),
  );
});

test("there is none before the kubelet told something", () => {
  using node = createFakeHost();
  expect(readPodCpus(node.host)).toBeUndefined();
  const pods = { exclusive: new Map([["shop/web", [2, 3]]]), allocatable: [1, 2, 3] };
  writePodCpus(node.host, pods);
  expect(readPodCpus(node.host)).toEqual(pods);
});

test.each([
  "",
  "[]",
  '{"format": "2.0", "exclusive": [], "allocatable": []}',
  '{"format": "1.0", "exclusive": [{"pod": "a/b", "cpus": [-1]}], "allocatable": []}',
])("%j is none", (text) => {
  expect(codeOf(() => parsePodCpus(text, "file"))).toBe("ERR_RECORD_CORRUPT");
});
