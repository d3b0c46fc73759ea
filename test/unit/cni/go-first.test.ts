// When a call asks to go before others, and what becomes of it where it may not.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost } from "../../support/fake-host.ts";
import { withFault } from "../../support/faults.ts";

const config = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.1" };
const pfs = [{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }];

function refuseNice(nice: number): never {
  throw new SystemCallError("setpriority", `${nice}`, "EACCES");
}

test("ADD and DEL ask before they take a lock, a DEL without a VF does not", async () => {
  using node = createFakeHost(pfs);
  node.addNetns("web-1");
  const asked = async (command: string): Promise<readonly string[]> => {
    const { host, calls } = withFault(node.host);
    expect(await callCni(host, config, { command })).toMatchObject({ exitCode: 0 });
    return calls.filter((call) => /^(?:threads\.setNice|locks\.acquire)$/.test(call)).slice(0, 2);
  };
  expect(await asked("ADD")).toEqual(["threads.setNice", "locks.acquire"]);
  expect(await asked("DEL")).toEqual(["threads.setNice", "locks.acquire"]);
  expect(await asked("DEL")).not.toContain("threads.setNice");
});

test("where it may not, ADD and DEL are as before", async () => {
  using node = createFakeHost(pfs);
  node.addNetns("web-1");
  const host = { ...node.host, threads: { ...node.host.threads, setNice: refuseNice } };
  const before = node.toText();
  expect(await callCni(host, config)).toMatchObject({ exitCode: 0 });
  expect(await callCni(host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  expect(node.toText()).toBe(before);
});
