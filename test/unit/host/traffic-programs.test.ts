// What the kernel answers about programs on a link's traffic, by a bpf(2) of the test's own.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Libc } from "../../../host/libc.ts";
import { createTrafficPrograms } from "../../../host/traffic-programs.ts";

const [detach, query, openLink] = [9, 16, 30];

/** One program on what the link receives until `isGone`; every other call than the query fails with `errno`. */
function answering(errno: string, isGone: (calls: number) => boolean): { bpf: Libc["bpf"]; calls: number[] } {
  const calls: number[] = [];
  const bpf: Libc["bpf"] = (command, attributes, on, arrays) => {
    calls.push(command);
    if (command !== query) throw new SystemCallError("bpf", on, errno);
    const isThere = attributes.getUint32(4, true) === 46 && !isGone(calls.length);
    attributes.setUint32(24, isThere ? 1 : 0, true);
    arrays?.get(40)?.set([7]);
    return 0;
  };
  return { bpf, calls };
}

test.each(["EINVAL", "ENOSYS", "EPERM", "ENODEV"])("a kernel that tells of none (%s) has none", (errno) => {
  const bpf: Libc["bpf"] = (_command, _attributes, on) => {
    throw new SystemCallError("bpf", on, errno);
  };
  expect(() => createTrafficPrograms({ bpf }).removeAll(5)).not.toThrow();
});

test("a bpf_link that ends meanwhile, with its process, is looked past", () => {
  const { bpf, calls } = answering("ENOENT", (count) => count > 2);
  createTrafficPrograms({ bpf }).removeAll(5);
  expect(calls).toEqual([query, openLink, query, query]);
  expect(calls).not.toContain(detach);
});

test("one that cannot be taken off is an error: it would read the next pod's packets", () => {
  const { bpf } = answering("EPERM", () => false);
  expect(() => createTrafficPrograms({ bpf }).removeAll(5)).toThrow(
    "bpf(programs off what link 5 received) failed: EPERM",
  );
});
