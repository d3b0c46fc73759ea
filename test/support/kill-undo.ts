// What undoes an ADD or DEL that was killed, when no DEL follows: GC with nothing listed, and repair.

import { expect } from "vitest";

import type { Host } from "../../host/host.ts";
import { ofGoneOwners } from "../../sriov/gone-owners.ts";
import { applyRepair, planRepair } from "../../sriov/repair.ts";
import { callCni } from "./cni-call.ts";
import type { FakeHost } from "./fake-host.ts";
import type { KillCase } from "./kill-cases.ts";

/** GC of the case's network, of which the runtime knows no attachment; it must succeed. */
export async function collectAll(host: Host, { config, call }: KillCase): Promise<void> {
  const { prevResult: _none, ...network } = config as { readonly prevResult?: object };
  const list = { ...network, "cni.dev/valid-attachments": [] };
  expect(await callCni(host, list, { ...call, command: "GC" })).toMatchObject({ exitCode: 0 });
}

/** The namespace of pod shop/web-1 ends, and its VFs come back. */
export async function endPod(node: FakeHost): Promise<void> {
  node.removeNetns("web-1", 500);
  await node.clock.advance(1000);
}

/** Gives back what pods that are gone have; every step must succeed. */
export async function repairAll(host: Host): Promise<void> {
  const rule = ofGoneOwners(host, () => undefined);
  const outcomes = await applyRepair(host, rule, planRepair(host, rule), { lockTimeoutMs: 0 });
  expect(outcomes.filter(({ problem }) => problem !== undefined)).toEqual([]);
}
