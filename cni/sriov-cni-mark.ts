// The mark by which sriov-cni keeps a VF for its pod: a file with the path of the pod's network namespace, by the VF's address.

import type { Host } from "../host/host.ts";
import type { PciAddress } from "../sriov/pci-address.ts";

type View = Pick<Host, "files" | "paths">;

/** Where the mark of a VF is. Source: sriov-cni pkg/utils/pci_allocator.go. */
export function markPath({ paths }: Pick<Host, "paths">, address: PciAddress): string {
  return `${paths.sriovCni}/pci/${address}`;
}

/** The namespace that sriov-cni gave the VF to last; `undefined` without a mark. */
export function readMark(host: View, address: PciAddress): string | undefined {
  return host.files.readText(markPath(host, address))?.trim() || undefined;
}

/**
 * What a VF without a netdev does not show by its place: that a pod which sriov-cni started still has it, as a clause; `undefined`
 * where none does. A mark from before the node was started is nobody's.
 */
export function describeSriovCniPod(
  host: View & Pick<Host, "namespaces" | "clock">,
  address: PciAddress,
): string | undefined {
  const netns = readMark(host, address);
  if (netns === undefined || !isOfThisBoot(host, markPath(host, address))) return undefined;
  using pod = host.namespaces.open(netns);
  return pod === undefined ? undefined : `sriov-cni gave it to a pod whose namespace ${netns} exists`;
}

/** Whether a file of sriov-cni was written since the node was started; so too where the kernel does not tell when that was. */
export function isOfThisBoot({ files, paths, clock }: View & Pick<Host, "clock">, path: string): boolean {
  // Source: proc_uptime(5).
  const seconds = Number(files.readText(`${paths.proc}/uptime`)?.split(" ")[0]);
  const bootMs = Number.isFinite(seconds) ? clock.nowMs() - seconds * 1000 : 0;
  return (files.stat(path)?.changedMs ?? 0) >= bootMs;
}
