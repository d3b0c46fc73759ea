// The device plugin as a process beside an API server: what tuning could not do becomes an Event of the node.

import { mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { writeTuningProblems } from "../../../sriov/tuning-problems.ts";
import { machines } from "../../fixtures/machines.ts";
import { DevicePluginProcess } from "../../support/deviceplugin-process.ts";
import { createFakeApiServer, writeCredentials } from "../../support/fake-api-server.ts";
import { FakeKubelet } from "../../support/fake-kubelet.ts";
import { createFixtureTree } from "../../support/fixture-tree.ts";
import { waitFor } from "../../support/wait-for.ts";

/** A Bun process takes its time on a busy machine, and loads the client of the API server at its first use. */
const startTimeoutMs = 30_000;

const policy = {
  vf: "0000:01:10.0",
  about: "policy",
  code: "FALLBACK",
  message: "the pod has no CPUs for itself, using numa-spread",
};
const steering = { ...policy, about: "rps", message: "using no RPS" };

test("policies that tuning could not meet are Events of the node, at the start and when they come, each once", async () => {
  using tree = createFixtureTree(machines.igb);
  using api = createFakeApiServer();
  using stack = new DisposableStack();
  const credentials = mkdtempSync(join(tmpdir(), "virtfn-credentials-"));
  stack.defer(() => rmSync(credentials, { recursive: true }));
  writeCredentials(credentials, "token-1");
  mkdirSync(join(tree.root, "var/lib/kubelet/device-plugins"), { recursive: true });
  const kubelet = new FakeKubelet(tree.root);
  stack.defer(() => kubelet.stop());
  await kubelet.start();
  writeTuningProblems(tree.host, [policy]);
  await using plugin = new DevicePluginProcess(tree.root, {
    args: ["--listen", "off", "--report-node", "n1"],
    cluster: { server: api.server, credentials },
  });
  const told = (): readonly unknown[] =>
    api.events
      .filter(({ reason }) => reason === "TuningFellShort")
      .map(({ type, message }) => [type, message]);
  await waitFor("the first Event", () => told().length > 0, startTimeoutMs);
  writeTuningProblems(tree.host, [policy, steering]);
  plugin.sendUevent();
  await waitFor("the second Event", () => told().length > 1, startTimeoutMs);
  expect(told()).toEqual([
    ["Warning", `${policy.vf} policy: ${policy.message}`],
    ["Warning", `${policy.vf} rps: ${steering.message}`],
  ]);
});
