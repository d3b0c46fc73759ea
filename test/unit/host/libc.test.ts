// libc for real: results, and errors with their names.

import { constants } from "node:os";

import { describe, expect, it } from "vitest";

import { nameErrno } from "../../../host/errno.ts";
import { createLibc } from "../../../host/libc.ts";

describe("libc", () => {
  it("says call, arguments and errno name of a failure", () => {
    const libc = createLibc();
    expect(() => libc.flock(9999, 6)).toThrow("flock(9999, 6) failed: EBADF");
    expect(() => libc.socket(16, 3, 99)).toThrow("socket(16, 3, 99) failed: EPROTONOSUPPORT");
    expect(() => libc.setNetns(9999)).toThrow("setns(9999, CLONE_NEWNET) failed: EBADF");
    expect(() => libc.mountDetached("nonefs")).toThrow("fsopen(nonefs) failed: ");
  });
});

describe("nameErrno", () => {
  it("names what node:os names, except for the twins", () => {
    const twins = new Set(["EWOULDBLOCK", "ENOTSUP"]);
    const expected = Object.entries(constants.errno).filter(([name]) => !twins.has(name));
    expect(expected.map(([, number]) => nameErrno(number))).toEqual(expected.map(([name]) => name));
  });

  it("names the one that only the kernel has, and shows the number of an unknown one", () => {
    expect([nameErrno(524), nameErrno(41), nameErrno(0), nameErrno(999)]).toEqual([
      "ENOTSUPP",
      "errno 41",
      "errno 0",
      "errno 999",
    ]);
  });
});
