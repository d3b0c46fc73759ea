// What each subfunction of the node is, from the facts: whose, how healthy, and if it is not offered, why.

import type { AuxDevice } from "../../sriov/aux-device.ts";
import { isPciAddress } from "../../sriov/pci-address.ts";
import type { VfHealth, VfView } from "./device-view.ts";
import type { NodeFacts } from "./facts.ts";
import { findPodOf } from "./pod-allocations.ts";

export interface SubfunctionView extends Pick<
  VfView,
  "pf" | "pfInterface" | "numaNode" | "resource" | "pod" | "interface" | "mac"
> {
  /** "mlx5_core.sf.4". */
  readonly name: string;
  /** The number under which it was made; `undefined` for one that is gone. */
  readonly index: number | undefined;
  readonly health: VfHealth;
  readonly reason: string | undefined;
}

type Facts = Pick<NodeFacts, "auxDevices" | "advertised" | "inventory" | "links" | "pods">;

/** Those that there are, by PF and number, then those that are gone and still offered. */
export function viewSubfunctions(facts: Facts): readonly SubfunctionView[] {
  const { auxDevices, advertised } = facts;
  const offered = [...(advertised?.pools ?? [])].flatMap(([resource, ids]) =>
    ids.filter((id) => !isPciAddress(id)).map((id) => [id, resource] as const),
  );
  const resources = new Map(offered);
  const there = new Map<string, AuxDevice>(auxDevices.map((device) => [device.name, device]));
  return [...new Set([...there.keys(), ...resources.keys()])].map((name) =>
    viewSubfunction(facts, name, there.get(name), resources.get(name)),
  );
}

function viewSubfunction(
  facts: Facts,
  name: string,
  device: AuxDevice | undefined,
  resource: string | undefined,
): SubfunctionView {
  const { inventory, links, pods } = facts;
  const has = pods && resource !== undefined ? findPodOf(pods, { resource, ids: [name] }) : undefined;
  const link = links.find((one) => one.name === device?.netdevs[0]);
  return {
    name,
    pf: device?.pf,
    pfInterface: device && inventory.pfs.get(device.pf)?.netdevs[0],
    index: device?.index,
    numaNode: device?.numaNode,
    resource,
    ...judge(facts, name, device, resource),
    pod: has && { namespace: has.namespace, name: has.name },
    interface: device?.netdevs[0],
    mac: link?.mac,
  };
}

function judge(
  { advertised }: Facts,
  name: string,
  device: AuxDevice | undefined,
  resource: string | undefined,
): Pick<SubfunctionView, "health" | "reason"> {
  if (device === undefined) return { health: "unhealthy", reason: "the subfunction is gone" };
  if (resource !== undefined) {
    const problem = advertised?.unhealthy.get(name);
    return { health: problem === undefined ? "healthy" : "unhealthy", reason: problem?.reason };
  }
  const why = advertised?.leftOut.get(name);
  return { health: "left out", reason: why ?? "no resource is for subfunctions, or no device plugin saw it" };
}
