// A fake node whose second VF a pod has.

import { expect } from "vitest";

import { callCni } from "./cni-call.ts";
import { createFakeHost, type FakeHost } from "./fake-host.ts";

/** One PF with two VFs, and the pod web-1. */
export function createPodNode(): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 2 }]);
  node.addNetns("web-1");
  return node;
}

/** The same after an ADD of `config`; `before` is the node as it was. */
export async function createAttachedNode(
  config: object,
): Promise<{ readonly node: FakeHost; readonly before: string }> {
  const node = createPodNode();
  const before = node.toText();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  return { node, before };
}
