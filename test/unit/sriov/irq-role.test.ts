// Which vector of which driver serves a queue.

import { describe, expect, test } from "vitest";

import { judgeVectorRole, type VectorFacts } from "../../../sriov/irq-role.ts";

function describeRole(facts: VectorFacts): string {
  const role = judgeVectorRole(facts);
  return role === undefined ? "unknown" : role.kind === "queue" ? `${role.direction} ${role.queue}` : "other";
}

describe("judgeVectorRole", () => {
  test.each([
    ["igbvf", 0, 3, undefined, "tx 0"],
    ["igbvf", 1, 3, "net1-rx-0", "rx 0"],
    ["igbvf", 2, 3, "net1", "other"],
    ["igbvf", 0, 1, "net1", "both 0"],
    ["iavf", 0, 5, "iavf-0000:3b:02.0:mbx", "other"],
    ["iavf", 0, 5, undefined, "other"],
    ["iavf", 1, 5, undefined, "unknown"],
    ["iavf", 2, 5, "iavf-net1-TxRx-1", "both 1"],
    ["iavf", 4, 5, "iavf-net1-rx-3", "rx 3"],
    ["ixgbevf", 0, 3, "net1-TxRx-0", "both 0"],
    ["ixgbevf", 2, 3, "net-2", "other"],
    ["mlx5_core", 0, 4, "mlx5_async0@pci:0000:3b:02.0", "other"],
    ["mlx5_core", 1, 4, "mlx5_comp0@pci:0000:3b:02.0", "both 0"],
    ["mlx4_core", 0, 4, "mlx4-async@pci:0000:3b:02.0", "other"],
    ["mlx4_core", 1, 4, "mlx4-1@0000:3b:02.0", "both 1"],
    ["virtio-pci", 0, 5, "virtio5-config", "other"],
    ["virtio-pci", 1, 5, "virtio5-input.0", "rx 0"],
    ["virtio-pci", 4, 5, "virtio5-output.1", "tx 1"],
    ["ena", 0, 3, "ena-mgmnt@pci:0000:00:05.0", "other"],
    ["ena", 2, 3, "net1-Tx-Rx-1", "both 1"],
    ["nfp_netvf", 2, 3, "net1-rxtx-1", "both 1"],
    ["qede", 1, 3, "net1-fp-1", "both 1"],
    ["somevf", 0, 1, "net1", "both 0"],
    ["somevf", 0, 2, "net1", "other"],
    ["somevf", 0, 2, undefined, "unknown"],
    [undefined, 0, 2, undefined, "unknown"],
  ])("%s vector %i of %i named %s is %s", (driver, msiIndex, vectors, action, expected) => {
    expect(describeRole({ driver, msiIndex, vectors, action })).toBe(expected);
  });

  test("an interface that a pod calls async-TxRx keeps its queues", () => {
    expect(describeRole({ driver: "iavf", msiIndex: 1, vectors: 2, action: "iavf-mbx-TxRx-0" })).toBe(
      "both 0",
    );
  });
});
