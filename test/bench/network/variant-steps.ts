// How each kind of interface is put between the NIC and the namespaces, as steps.

import {
  bridgeName,
  hostSideName,
  insideName,
  irqbalancePidFile,
  namespaceName,
  prefixLength,
  serverAddress,
} from "./layout.ts";
import { checkPolicyInForce, isPlacingDone } from "./policy-in-force.ts";
import type { Command, Step } from "./step.ts";
import { isSriov, policyOf, type Variant } from "./variant.ts";

export interface VariantSetting {
  readonly pf: string;
  readonly namespaces: number;
  /** Devices that go into the namespaces, for the variants with SR-IOV. */
  readonly vfs: readonly string[];
  /** The executables of virtfn. */
  readonly cni: string;
  readonly virtfn: string;
}

/** From the node at rest to one with the variant, each step with its way back. The interfaces may have no carrier yet. */
export function planVariant(variant: Variant, setting: VariantSetting): readonly Step[] {
  const numbers = Array.from({ length: setting.namespaces }, (_, at) => at);
  if (variant === "host") return numbers.map((at) => addHostAddress(setting.pf, at));
  const namespaces = numbers.map((at) => addNamespace(at));
  if (isSriov(variant)) return [...namespaces, ...planSriov(variant, setting, numbers)];
  const shared = variant === "veth-bridge" ? addBridge(setting.pf) : [];
  return [
    ...namespaces,
    ...shared,
    ...numbers.flatMap((at) => addInside(variant, setting.pf, at).concat(openInside(at))),
  ];
}

function addHostAddress(pf: string, at: number): Step {
  const address = `${serverAddress(at)}/${prefixLength}`;
  return {
    apply: ip("address", "add", address, "dev", pf),
    undo: ip("address", "del", address, "dev", pf),
  };
}

function addNamespace(at: number): Step {
  const name = namespaceName(at);
  return { apply: ip("netns", "add", name), undo: ip("netns", "del", name) };
}

function addBridge(pf: string): readonly Step[] {
  return [
    {
      apply: ip("link", "add", bridgeName, "type", "bridge"),
      undo: ip("link", "del", bridgeName),
    },
    { apply: ip("link", "set", pf, "master", bridgeName), undo: ip("link", "set", pf, "nomaster") },
    { apply: ip("link", "set", bridgeName, "up") },
  ];
}

// What is inside a namespace goes with it; the deletion is asynchronous, so that the undo is said all the same.
function addInside(variant: Variant, pf: string, at: number): readonly Step[] {
  const netns = namespaceName(at);
  const remove = ip("-n", netns, "link", "del", insideName);
  const add = (...words: readonly string[]): Step => ({
    apply: ip("link", "add", ...words),
    undo: remove,
  });
  const onPf = ["link", pf, "name", insideName, "netns", netns, "type"];
  if (variant === "macvlan") return [add(...onPf, "macvlan", "mode", "bridge")];
  if (variant === "ipvlan") return [add(...onPf, "ipvlan", "mode", "l2")];
  return [
    add("name", hostSideName(at), "type", "veth", "peer", "name", insideName, "netns", netns),
    { apply: ip("link", "set", hostSideName(at), "master", bridgeName, "up") },
  ];
}

function openInside(at: number): readonly Step[] {
  const netns = namespaceName(at);
  const address = `${serverAddress(at)}/${prefixLength}`;
  return [
    { apply: ip("-n", netns, "address", "add", address, "dev", insideName) },
    { apply: ip("-n", netns, "link", "set", insideName, "up") },
  ];
}

// By the product itself: its CNI moves the VFs, its tuning places the interrupts and puts them back after the last DEL.
function planSriov(
  variant: Variant,
  { vfs, cni, virtfn }: VariantSetting,
  numbers: readonly number[],
): readonly Step[] {
  const policy = policyOf(variant);
  const once = { argv: [virtfn, "tuning", "--once", "--json"] };
  // As a runtime does, DEL also after an ADD that failed: one that was ended in the middle took nothing back.
  const attach = numbers.flatMap((at): readonly Step[] => [
    { undo: callCni(cni, "DEL", at, vfs[at] ?? "", policy ?? "none") },
    { apply: callCni(cni, "ADD", at, vfs[at] ?? "", policy ?? "none") },
  ]);
  if (policy !== undefined) {
    const own = vfs.slice(0, numbers.length);
    const place = {
      apply: once,
      // Some drivers ask for their interrupts a while after the interface is up.
      isDone: isPlacingDone,
      check: (printed: string) => checkPolicyInForce(printed, policy, own),
    };
    return [{ undo: once }, ...attach, place];
  }
  return variant === "sriov-irqbalance" ? [...attach, runIrqbalance] : attach;
}

function callCni(cni: string, verb: string, at: number, deviceID: string, tuning: string): Command {
  const config = {
    cniVersion: "1.0.0",
    name: "vbench",
    type: "virtfn",
    deviceID,
    tuning,
    ips: [`${serverAddress(at)}/${prefixLength}`],
  };
  const env = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: namespaceName(at),
    CNI_NETNS: `/run/netns/${namespaceName(at)}`,
    CNI_IFNAME: insideName,
    CNI_PATH: "/opt/cni/bin",
  };
  return { argv: [cni], stdin: JSON.stringify(config), env };
}

const irqbalancePid = `/run/${irqbalancePidFile}`;
// It looks for the first time after an interval: with its own of 10 s the first test would begin before that.
// Below a service of systemd (INVOCATION_ID) it stays in the foreground by itself, and who started it would wait for its end.
const runIrqbalance: Step = {
  apply: {
    argv: [
      "sh",
      "-c",
      `irqbalance --foreground --interval=1 </dev/null >/dev/null 2>&1 & echo $! >${irqbalancePid}`,
    ],
  },
  undo: { argv: ["sh", "-c", `kill "$(cat ${irqbalancePid})" && rm -f ${irqbalancePid}`] },
};

function ip(...words: readonly string[]): Command {
  return { argv: ["ip", ...words] };
}
