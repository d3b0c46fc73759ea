// Subfunctions of a machine that is a folder.

import { deviceFolder } from "./fixture-devices.ts";
import { writeFolder } from "./fixture-folder.ts";

export interface AuxShape {
  /** "mlx5_core.sf.4" */
  readonly name: string;
  /** Address of its PF. */
  readonly pf: string;
  readonly sfnum: number;
  /** Its netdev in this network namespace. */
  readonly netdev?: string;
  /** Its RDMA device. */
  readonly rdma?: string;
}

/** Adds the subfunction below `root`, and the devices of other types that its driver makes below it. */
export function addAuxDevice(root: string, { name, pf, sfnum, netdev, rdma }: AuxShape): void {
  const folder = `${deviceFolder(pf)}/${name}`;
  const [driver, , number] = name.split(".");
  const nested = `${driver}.eth.${number}`;
  writeFolder(root, {
    [`${folder}/sfnum`]: String(sfnum),
    [`sys/bus/auxiliary/devices/${name}`]: { to: folder },
    [`${folder}/${nested}/uevent`]: "",
    [`sys/bus/auxiliary/devices/${nested}`]: { to: `${folder}/${nested}` },
    ...(netdev === undefined
      ? {}
      : {
          [`${folder}/net/${netdev}/type`]: "1",
          [`sys/class/net/${netdev}`]: { to: `${folder}/net/${netdev}` },
        }),
    ...(rdma === undefined ? {} : { [`${folder}/infiniband/${rdma}/node_type`]: "1: CA" }),
  });
}
