// A fake node whose second VF a pod has.

import { expect } from "vitest";

import type { Netlink } from "../../host/netlink/netlink.ts";
import type { NetnsHandle } from "../../host/netns.ts";
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

/** The namespace of pod web-1. */
export function openNetnsOf(node: FakeHost): NetnsHandle {
  const netns = node.host.namespaces.open("/run/netns/web-1");
  if (netns === undefined) throw new Error("the pod web-1 has no namespace");
  return netns;
}

/** Such a node, whose record of the VF is lost; `work` gets the pod's side and the VF there. */
export async function createUnrecordedNode(
  config: object,
  work: (inside: Netlink, index: number) => void = () => undefined,
): Promise<FakeHost> {
  const { node } = await createAttachedNode(config);
  node.host.files.remove(`${node.host.paths.attachments}/0000:3b:02.1.json`);
  using netns = openNetnsOf(node);
  using inside = node.host.openNetlink(netns);
  work(inside, inside.getLink({ name: "net1" })?.index ?? 0);
  return node;
}
