// Which pods have a VF by the kubelet that no record knows.

import { expect, test } from "vitest";

import { parsePciAddress } from "../../../sriov/pci-address.ts";
import { type AttachedFacts, findUnrecorded, type PodDevices } from "../../../sriov/unrecorded-pods.ts";
import { createFakeHost } from "../../support/fake-host.ts";
import { makeAttachment } from "../../support/attached-vf.ts";

const [first, second] = ["0000:3b:02.0", "0000:3b:02.1"] as const;
const ours = new Set(["sriov/vf"]);

function pod(name: string, resource: string, ...ids: readonly string[]): PodDevices {
  return { namespace: "shop", name, containers: [{ devices: new Map([[resource, ids]]) }] };
}

function tell(
  pods: readonly PodDevices[],
  records: AttachedFacts["records"],
  accelerators: readonly string[] = [],
): string {
  const isAttachable = (address: string): boolean => !accelerators.includes(address);
  return findUnrecorded(pods, ours, { records, isAttachable })
    .map((one) => `${one.namespace}/${one.pod} ${one.resource} ${one.address}`)
    .join(", ");
}

test("a VF is known when its record names the pod, or no pod at all", () => {
  using node = createFakeHost();
  const record = makeAttachment(node.host, { address: first, pod: "web-1", netns: "/run/netns/a" });
  const bare = { ...record, owner: { ...record.owner, pod: undefined } };
  const web = pod("web-1", "sriov/vf", first, second);
  expect(tell([web], [record])).toBe(`shop/web-1 sriov/vf ${second}`);
  expect(tell([web], [bare])).toBe(`shop/web-1 sriov/vf ${second}`);
  expect(tell([web], [])).toBe(`shop/web-1 sriov/vf ${first}, shop/web-1 sriov/vf ${second}`);
  expect(tell([pod("web-2", "sriov/vf", first)], [record])).toBe(`shop/web-2 sriov/vf ${first}`);
});

test("devices of other resources, and ids that are no PCI addresses, are not ours", () => {
  expect(tell([pod("web-1", "other/nic", first), pod("web-1", "sriov/vf", "gpu0")], [])).toBe("");
});

test("no record is due of an accelerator, which no CNI plugin attaches", () => {
  expect(tell([pod("web-1", "sriov/vf", first, second)], [], [first])).toBe(`shop/web-1 sriov/vf ${second}`);
});

test("a device that two containers of a pod have is one", () => {
  const containers = [1, 2].map(() => ({ devices: new Map([["sriov/vf", [parsePciAddress(first)]]]) }));
  expect(tell([{ namespace: "shop", name: "web-1", containers }], [])).toBe(`shop/web-1 sriov/vf ${first}`);
});
