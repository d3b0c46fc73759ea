// Tests test/bench/network/variant-steps.ts.

import { expect, test } from "vitest";

import { formatCommand } from "../../../bench/network/step.ts";
import { planVariant } from "../../../bench/network/variant-steps.ts";
import { type Variant, variantNames } from "../../../bench/network/variant.ts";

const setting = {
  pf: "ens1f0",
  namespaces: 2,
  vfs: ["0000:3b:02.0", "0000:3b:02.1"],
  cni: "virtfn-cni",
  virtfn: "virtfn",
};

/** One line a step: what is done, and behind a bar what takes it back. */
function show(variant: Variant): string {
  const lines = planVariant(variant, setting).map(({ apply, undo }) =>
    [apply, undo]
      .map((command) => (command === undefined ? "-" : formatCommand({ argv: command.argv })))
      .map((text, at) => {
        const verb = (at === 0 ? apply : undo)?.env?.["CNI_COMMAND"];
        return verb === undefined ? text : `${text} ${verb}`;
      })
      .join(" | "),
  );
  return lines.join("\n");
}

test("host: the addresses on the interface itself", () => {
  expect(show("host")).toMatchInlineSnapshot(`
    "ip address add 198.18.0.1/15 dev ens1f0 | ip address del 198.18.0.1/15 dev ens1f0
    ip address add 198.18.0.2/15 dev ens1f0 | ip address del 198.18.0.2/15 dev ens1f0"
  `);
});

test("veth-bridge: the interface and a veth of each namespace on one bridge", () => {
  expect(show("veth-bridge")).toMatchInlineSnapshot(`
    "ip netns add vbench-0 | ip netns del vbench-0
    ip netns add vbench-1 | ip netns del vbench-1
    ip link add vbench-br type bridge | ip link del vbench-br
    ip link set ens1f0 master vbench-br | ip link set ens1f0 nomaster
    ip link set vbench-br up | -
    ip link add name vbench-h0 type veth peer name vb0 netns vbench-0 | ip -n vbench-0 link del vb0
    ip link set vbench-h0 master vbench-br up | -
    ip -n vbench-0 address add 198.18.0.1/15 dev vb0 | -
    ip -n vbench-0 link set vb0 up | -
    ip link add name vbench-h1 type veth peer name vb0 netns vbench-1 | ip -n vbench-1 link del vb0
    ip link set vbench-h1 master vbench-br up | -
    ip -n vbench-1 address add 198.18.0.2/15 dev vb0 | -
    ip -n vbench-1 link set vb0 up | -"
  `);
});

test("macvlan: one on the interface in each namespace", () => {
  expect(show("macvlan")).toMatchInlineSnapshot(`
    "ip netns add vbench-0 | ip netns del vbench-0
    ip netns add vbench-1 | ip netns del vbench-1
    ip link add link ens1f0 name vb0 netns vbench-0 type macvlan mode bridge | ip -n vbench-0 link del vb0
    ip -n vbench-0 address add 198.18.0.1/15 dev vb0 | -
    ip -n vbench-0 link set vb0 up | -
    ip link add link ens1f0 name vb0 netns vbench-1 type macvlan mode bridge | ip -n vbench-1 link del vb0
    ip -n vbench-1 address add 198.18.0.2/15 dev vb0 | -
    ip -n vbench-1 link set vb0 up | -"
  `);
});

test("sriov with a policy: the product attaches, places, and puts back after the last DEL, which comes also after an ADD that failed", () => {
  expect(show("sriov-numa-spread")).toMatchInlineSnapshot(`
    "ip netns add vbench-0 | ip netns del vbench-0
    ip netns add vbench-1 | ip netns del vbench-1
    - | virtfn tuning --once --json
    - | virtfn-cni DEL
    virtfn-cni ADD | -
    - | virtfn-cni DEL
    virtfn-cni ADD | -
    virtfn tuning --once --json | -"
  `);
});

test("sriov with irqbalance runs it behind the attachments", () => {
  expect(show("sriov-irqbalance").split("\n").at(-1)).toMatch(
    /^sh -c irqbalance --foreground --interval=1 .*>\/dev\/null 2>&1 & echo \$! .* \| sh -c kill /,
  );
});

test("without a policy the product is told to leave the interrupts alone", () => {
  const add = planVariant("sriov-untuned", setting).find(({ apply }) => apply?.argv[0] === "virtfn-cni");
  expect(JSON.parse(add?.apply?.stdin ?? "")).toMatchObject({ deviceID: "0000:3b:02.0", tuning: "none" });
});

test.each(variantNames)("%s: what is made is taken back", (variant) => {
  const steps = planVariant(variant, setting);
  const made = steps.filter(({ apply }) => apply?.argv.includes("add") && !apply.argv.includes("-n"));
  expect(made.length).toBeGreaterThan(0);
  expect(made.every(({ undo }) => undo?.argv.includes("del"))).toBe(true);
});
