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

const [info, nextLink, detachLink] = [15, 31, 34];

type FakeLink = readonly number[] | { readonly open?: string; readonly info?: string };

/** A node with these bpf_links (what is told of each, by id); where a text stands instead, that call fails with it. */
function linked(links: ReadonlyMap<number, FakeLink>) {
  const detached: number[] = [];
  let opened = 0;
  const bpf: Libc["bpf"] = (command, attributes, on, arrays) => {
    const asked = attributes.getUint32(0, true);
    const next = [...links.keys()].find((id) => id > asked);
    const link = links.get(command === openLink ? asked : opened) ?? [];
    const fails = (errno: string): never => {
      throw new SystemCallError("bpf", on, errno);
    };
    if (command === nextLink) attributes.setUint32(4, next ?? fails("ENOENT"), true);
    else if (command === openLink) {
      if ("open" in link) fails(link.open ?? "");
      opened = asked;
      return openSync("/dev/null", "r");
    } else if (command === info && "info" in link) fails(link.info ?? "");
    else if (command === info && Array.isArray(link)) arrays?.get(8)?.set(link);
    else if (command === detachLink) detached.push(opened);
    return 0;
  };
  return { bpf, detached };
}

test("of the node's bpf_links only that of the XDP program is detached, and ones that end meanwhile are looked past", () => {
  const { bpf, detached } = linked(
    new Map<number, FakeLink>([
      [1, [6, 1, 70, 0, 5]],
      [2, [6, 2, 71, 0, 6]],
      [3, [2, 3, 71, 0, 5]],
      [4, { open: "ENOENT" }],
      [5, [6, 5, 71, 0, 5]],
    ]),
  );
  createTrafficPrograms({ bpf }).removeHeldXdp(5, 71);
  expect(detached).toEqual([5]);
});

test("a bpf_link of others that cannot be looked at keeps nothing on; where none was found it is the reason", () => {
  const others: readonly (readonly [number, FakeLink])[] = [
    [1, { open: "EAGAIN" }],
    [2, { info: "EOPNOTSUPP" }],
  ];
  const { bpf, detached } = linked(new Map<number, FakeLink>([...others, [3, [6, 3, 71, 0, 5]]]));
  createTrafficPrograms({ bpf }).removeHeldXdp(5, 71);
  expect(detached).toEqual([3]);
  expect(() => createTrafficPrograms(linked(new Map(others))).removeHeldXdp(5, 71)).toThrow(
    "bpf(program 71 off link 5) failed: EAGAIN",
  );
});
