// Containers that are given the VFIO group of before a reboot: the kubelet keeps the device plugin's answer, groups are counted anew.

import type { VirtualFunction } from "./inventory.ts";
import { isPciAddress, type PciAddress } from "./pci-address.ts";

/** What the kubelet gives one container of one resource, at each start. */
export interface GrantedNodes {
  readonly resource: string;
  readonly ids: readonly string[];
  /** Device nodes: "/dev/vfio/42". */
  readonly nodes: readonly string[];
}

/** `given` are groups that are none of its VFs' any more; `now` those of its VFs. */
export interface StaleGrant<Grant> {
  readonly grant: Grant;
  readonly given: readonly number[];
  readonly now: readonly number[];
}

/**
 * The grants of VFs with a group that is not theirs. The kubelet keeps those of pods that are gone for a while: one whose device
 * another grant has right is none of a living pod.
 */
export function findStaleGrants<Grant extends GrantedNodes>(
  grants: readonly Grant[],
  vfs: ReadonlyMap<PciAddress, Pick<VirtualFunction, "iommuGroup">>,
): readonly StaleGrant<Grant>[] {
  const judged = grants.flatMap((grant) => {
    const own = grant.ids.filter(isPciAddress).flatMap((id) => vfs.get(id) ?? []);
    const now = own.flatMap(({ iommuGroup }) => iommuGroup ?? []);
    const groups = listVfioGroups(grant.nodes);
    const given = groups.filter((group) => !now.includes(group));
    return own.length === 0 ? [] : [{ grant, groups, now, given }];
  });
  const right = judged.filter(({ groups, given }) => groups.length > 0 && given.length === 0);
  const isReplaced = ({ resource, ids }: GrantedNodes): boolean =>
    right.some(({ grant }) => grant.resource === resource && grant.ids.some((id) => ids.includes(id)));
  return judged
    .filter(({ grant, given }) => given.length > 0 && !isReplaced(grant))
    .map(({ grant, given, now }) => ({ grant, given, now }));
}

/** Groups among device nodes; "/dev/vfio/noiommu-3" is group 3. Source: Linux drivers/vfio/group.c. */
export function listVfioGroups(nodes: readonly string[]): readonly number[] {
  return nodes.flatMap((node) => {
    const group = /^\/dev\/vfio\/(?:noiommu-)?(\d+)$/.exec(node)?.[1];
    return group === undefined ? [] : [Number(group)];
  });
}
