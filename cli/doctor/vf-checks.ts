// VFs in use: whose they are, and whether records and namespaces agree.

import { dirname } from "node:path";

import { isNetworkVf } from "../../sriov/inventory.ts";
import type { Attachment } from "../../sriov/attachment.ts";
import type { OwnerVerdict } from "../../sriov/liveness.ts";
import type { PciAddress } from "../../sriov/pci-address.ts";
import type { Quarantined } from "../../sriov/quarantined.ts";
import type { RepairStep } from "../../sriov/repair.ts";
import { quoteWord } from "../shell-word.ts";
import { type Check, count, fail, type Finding, listSome, makeCheck, unknown, warn } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";

const repair = "virtfn repair --dry-run tells what it would do; then: virtfn repair";

export const vfChecks: readonly Check[] = [
  makeCheck({
    name: "records",
    needs: ["attachments", "owners"],
    find: ({ attachments: { records, unreadable }, owners }) => [
      ...unreadable.map(({ error }) =>
        fail(error.message, { expected: "a record that can be read", fix: repair }),
      ),
      ...records.flatMap((record) => findStale(record, owners.get(record.device.address))),
    ],
    ok: ({ attachments: { records } }) =>
      records.length === 0 ? "no VF is in use" : `the owners of ${count(records.length, "record")} are alive`,
  }),
  makeCheck({
    name: "set-aside",
    needs: ["quarantined"],
    find: ({ quarantined }) => tellQuarantined(quarantined),
    ok: () => "nothing had to be set aside",
  }),
  makeCheck({
    name: "orphans",
    needs: ["inventory", "namespaces", "attachments", "live"],
    find: (facts) => [...findOrphans(facts), ...findNotSeen(facts), ...tellUnseen(facts)],
    ok: ({ namespaces: { found, count: namespaces } }) =>
      `${count(found.size, "VF")} in ${count(namespaces, "network namespace")}, each with a record`,
  }),
  makeCheck({
    name: "vf-names",
    needs: ["displaced"],
    find: ({ displaced }) => displaced.map(tellDisplaced),
    ok: () => "no VF has a name of virtfn's in place of its own",
  }),
];

function tellDisplaced({ address, reason, problem }: RepairStep): Finding {
  if (problem !== undefined) return unknown(`${address}: ${reason} (${problem.message})`);
  return warn(`${address}: ${reason}`, {
    expected: "the name that it had before its pod, which was another link's when it came home",
    fix: "virtfn repair, and tuning each minute, give it back once that is free; one that is not known: by hand, as a pod's DEL has logged it",
  });
}

function tellQuarantined(files: readonly Quarantined[]): readonly Finding[] {
  const [first] = files;
  if (first === undefined) return [];
  const all = files.map(({ path, reason }) => (reason === undefined ? path : `${path} (${reason})`));
  return [
    warn(`set aside, since it could not be read: ${listSome(all, 3)}`, {
      expected: "none: a power cut or a full disk leaves such, and a downgrade",
      fix: `nothing needs them any more; when they were looked at: rm -r ${dirname(first.path)}`,
    }),
  ];
}

function findStale(record: Attachment, verdict: OwnerVerdict | undefined): readonly Finding[] {
  if (verdict === undefined) return [];
  const { state, reason, isDying } = verdict;
  const what = `${record.device.address} of ${nameOwner(record)}`;
  if (isDying)
    return [
      warn(`${what}: ${reason}`, {
        expected: "back within seconds",
        fix: "look again; what keeps the namespace: lsns -t net, and processes that hold it open",
      }),
    ];
  if (state === "gone")
    return [warn(`${what}: ${reason}`, { expected: "no record: its pod is gone", fix: repair })];
  return reason.includes("is unknown:") ? [unknown(`${what}: ${reason}`)] : [];
}

// In a namespace, and nothing says for whom.
function findOrphans({ namespaces, live, attachments, inventory }: Orphanage): readonly Finding[] {
  return [...namespaces.found]
    .filter(([address]) => !isHeld({ live, attachments, inventory }, address))
    .map(([address, { path, link, isSriovCnis }]) =>
      warn(`${address} is in ${path} as ${link.name}, and has no record`, {
        expected: "a record of who has it",
        fix: isSriovCnis
          ? "nothing: sriov-cni gave it to a pod, and what is installed as sriov takes it back when that ends"
          : `whoever put it there shall give it back, or: nsenter --net=${path} ip link set ${quoteWord(link.name)} netns 1`,
      }),
    );
}

// Not here, and in no namespace with a name or a process either.
function findNotSeen(facts: Orphanage): readonly Finding[] {
  const { inventory, namespaces } = facts;
  if (namespaces.problems.length > 0) return [];
  const lost = [...inventory.vfs.values()].filter(
    (vf) =>
      isNetworkVf(vf) &&
      vf.netdevs.length === 0 &&
      !namespaces.found.has(vf.address) &&
      !isHeld(facts, vf.address),
  );
  return lost.map(({ address }) =>
    warn(`the interface of ${address} is in no namespace that can be found, and has no record`, {
      expected: "on the node",
      fix: "it comes back with the end of who holds that namespace open; without that: unbind and bind its driver",
    }),
  );
}

function tellUnseen({ namespaces: { problems } }: Orphanage): readonly Finding[] {
  if (problems.length === 0) return [];
  const what = `${count(problems.length, "namespace")} could not be looked into: ${listSome(problems, 2)}`;
  return [unknown(what, "run it in the container tuning, or as root on the node")];
}

type Orphanage = Pick<DoctorFacts, "inventory" | "namespaces" | "attachments" | "live">;

/** By a record of this very VF, or by one that cannot be read. */
function isHeld(
  { live, attachments, inventory }: Pick<DoctorFacts, "live" | "attachments" | "inventory">,
  address: PciAddress,
): boolean {
  const inode = String(inventory.vfs.get(address)?.inode);
  return (
    live.some(({ device }) => device.address === address && device.inode === inode) ||
    attachments.unreadable.some((file) => file.address === address)
  );
}

function nameOwner({ owner: { pod, containerId } }: Attachment): string {
  return pod === undefined ? `container ${containerId.slice(0, 12)}` : `pod ${pod.namespace}/${pod.name}`;
}
