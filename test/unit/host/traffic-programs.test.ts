// What the kernel answers about programs on a link's traffic, by a bpf(2) of the test's own.

import { openSync } from "node:fs";

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

test("of the node's bpf_links only that of the XDP program is detached, and ones that end meanwhile are looked past", () => {
  const [info, nextLink, detachLink] = [15, 31, 34];
  const links = new Map([
    [1, [6, 1, 70, 0, 5]],
    [2, [6, 2, 71, 0, 6]],
    [3, [2, 3, 71, 0, 5]],
    [5, [6, 5, 71, 0, 5]],
  ]);
  const detached: number[] = [];
  const bpf: Libc["bpf"] = (command, attributes, on, arrays) => {
    const asked = attributes.getUint32(0, true);
    const next = [1, 2, 3, 4, 5].find((id) => id > asked);
    if (command === nextLink && next !== undefined) attributes.setUint32(4, next, true);
    else if (command === nextLink || (command === openLink && !links.has(asked)))
      throw new SystemCallError("bpf", on, "ENOENT");
    else if (command === openLink) opened = asked;
    else if (command === info) arrays?.get(8)?.set(links.get(opened) ?? []);
    else if (command === detachLink) detached.push(opened);
    return command === openLink ? openSync("/dev/null", "r") : 0;
  };
  let opened = 0;
  createTrafficPrograms({ bpf }).removeHeldXdp(5, 71);
  expect(detached).toEqual([5]);
});
