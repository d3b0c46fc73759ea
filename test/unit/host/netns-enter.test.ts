// A visit to another namespace, with a libc that fails where told.

import * as fs from "node:fs";
import { describe, expect, it } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { createLibc, type Libc } from "../../../host/libc.ts";
import { enterNetns } from "../../../host/netns-enter.ts";

/** Namespaces as they are entered: "pod", or what /proc calls the one that is open. */
function recordVisits(): { readonly libc: Libc; readonly visited: string[] } {
  const visited: string[] = [];
  const setNetns = (fd: number): void => {
    visited.push(fd === target.fd ? "pod" : fs.readlinkSync(`/proc/self/fd/${fd}`));
  };
  return { libc: { ...createLibc(), setNetns }, visited };
}

const target = { label: "/run/netns/pod", fd: 777 };
const home = fs.readlinkSync("/proc/thread-self/ns/net");

function fail(): never {
  throw new Error("no link");
}

function refuse(): never {
  throw new SystemCallError("setns", "777", "EPERM");
}

describe("enterNetns", () => {
  it("does the work inside and comes back, also when the work fails", () => {
    const { libc, visited } = recordVisits();
    expect(enterNetns(libc, target, () => [...visited])).toEqual(["pod"]);
    expect(() => enterNetns(libc, target, fail)).toThrow("no link");
    expect(visited).toEqual(["pod", home, "pod", home]);
  });

  it("does no work when the way in fails", () => {
    expect(() => enterNetns({ ...createLibc(), setNetns: refuse }, target, fail)).toThrow(
      "setns(777) failed: EPERM",
    );
  });

  it("ends the process at once when the way back fails", async () => {
    const script = `
      import { createLibc } from "${import.meta.resolve("../../../host/libc.ts")}";
      import { enterNetns } from "${import.meta.resolve("../../../host/netns-enter.ts")}";
      const setNetns = (fd) => { if (fd !== 777) throw new Error("EPERM"); };
      try {
        enterNetns({ ...createLibc(), setNetns }, { label: "/run/netns/pod", fd: 777 }, () => {});
      } finally {
        console.log("still here");
      }
    `;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stdout).text()).toBe("");
    expect(await new Response(child.stderr).text()).toBe(
      "virtfn: cannot leave the network namespace /run/netns/pod: Error: EPERM\n",
    );
  });
});
