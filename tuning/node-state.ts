// The node as tuning sees it in one pass: attached VFs with their vectors and masks, and what earlier passes left.

import type { Host } from "../host/host.ts";
import type { Channels } from "../host/netlink/ethtool.ts";
import type { Attachment } from "../sriov/attachment.ts";
import type { Candidates } from "../sriov/candidates.ts";
import { isNetworkVf, type TunableVf } from "../sriov/inventory.ts";
import type { PciAddress } from "../sriov/pci-address.ts";
import { listRpsCandidates, type RpsCandidates } from "../sriov/rps.ts";
import type { ChosenPolicy } from "../sriov/tuning-policy.ts";
import type { TuningRecord } from "../sriov/tuning-record.ts";
import { listTuningRecords, readTuningRecordOf } from "../sriov/tuning-store.ts";
import { readVectors, type Vector } from "../sriov/vectors.ts";
import type { NodeFacts } from "./node-facts.ts";
import { readFixedIrqs } from "./fixed-irqs.ts";
import { visitHeldVfs } from "./held-vfs.ts";
import { readNapis, type SeenNapi } from "./napi-threads.ts";
import { areUntold, tellByNapi } from "./vector-roles.ts";
import { withRecordLink } from "./record-netns.ts";
import { describeProblem, type Problem } from "./problem.ts";
import { plainParsers, type RecordParsers } from "./record-parsers.ts";
import { chooseVfPolicy, isHandsOff } from "./vf-policy.ts";
import { type NetdevValue, openVfQueues, type QueueMask } from "./vf-queues.ts";

/** A VF in a pod. `masks` and `values` are undefined when the pod's namespace can't be looked into. */
export interface TunedVf {
  readonly record: Attachment;
  readonly vf: TunableVf;
  /** As asked for; `candidates` has the one in force. */
  readonly chosen: ChosenPolicy;
  readonly candidates: Candidates;
  readonly rps: RpsCandidates;
  readonly vectors: readonly Vector[];
  readonly saved: TuningRecord | undefined;
  readonly masks: readonly QueueMask[] | undefined;
  /** Read only where tuning changed one, or is asked to. */
  readonly values: readonly NetdevValue[] | undefined;
  /** Read only where tuning changed them, or is asked to; undefined where the VF can't be looked at. */
  readonly channels: Channels | undefined;
  /** Read only where threaded NAPI is asked for; undefined where the kernel can't tell. */
  readonly napis: readonly SeenNapi[] | undefined;
  /** Its name in the pod, where that may have changed it; `undefined` as `masks` is. */
  readonly netdev: string | undefined;
}

export interface NodeState {
  readonly facts: NodeFacts;
  readonly vfs: readonly TunedVf[];
  /** CPUs of interrupts that nobody can move, of whatever device, by IRQ number. */
  readonly fixedIrqs: ReadonlyMap<number, number>;
  /** VFs with a tuning record that no pod holds any more, or whose policy is now `none`. */
  readonly toRestore: readonly PciAddress[];
  /** Every record could be read and judged: no pod has a VF that is not in `vfs`, or on its way there or away. */
  readonly isCertain: boolean;
  readonly problems: readonly Problem[];
}

type Eyes = Pick<
  Host,
  "files" | "paths" | "namespaces" | "clock" | "openNetlink" | "openEthtool" | "openNapis"
>;

/** Reads the node; changes nothing. What can't be read is a problem in the result, never thrown. */
export function readNodeState(host: Eyes, facts: NodeFacts, parsers = plainParsers): NodeState {
  const problems = [...facts.problems];
  const handled = new Set<PciAddress>();
  const vfs: TunedVf[] = [];
  function visit(record: Attachment, vf: TunableVf): void {
    if (!isHandsOff(facts, record)) handled.add(vf.address);
    if (isTuned(record, vf)) vfs.push(readTunedVf(host, facts, { record, vf, parsers }, problems));
  }
  const held = visitHeldVfs(host, visit, parsers);
  problems.push(...held.problems);
  // What can't be judged counts as held: nothing of it is put back.
  const isKept = (address: PciAddress): boolean => handled.has(address) || held.unclear.has(address);
  return {
    facts,
    vfs,
    // Some files for each interrupt of the node: not for nothing.
    fixedIrqs: vfs.length === 0 ? new Map() : attemptFixedIrqs(host, vfs, problems),
    toRestore: listTuningRecords(host).filter((address) => !isKept(address)),
    isCertain: held.unclear.size === 0,
    problems,
  };
}

/** Whether it is a VF that tuning may look after, and the CNI is done with it. */
export function isTuned(record: Attachment, vf: TunableVf): boolean {
  return record.state === "attached" && isNetworkVf(vf);
}

function attemptFixedIrqs(host: Eyes, vfs: readonly TunedVf[], problems: Problem[]): NodeState["fixedIrqs"] {
  try {
    return readFixedIrqs(
      host,
      vfs.flatMap(({ vectors }) => vectors),
    );
  } catch (error) {
    problems.push(describeProblem("node", "interrupts", error));
    return new Map();
  }
}

function readTunedVf(
  host: Eyes,
  facts: NodeFacts,
  { record, vf, parsers }: Pick<TunedVf, "record" | "vf"> & { readonly parsers: RecordParsers },
  problems: Problem[],
): TunedVf {
  const { chosen, candidates, place } = chooseVfPolicy(facts, record, vf);
  const rps = listRpsCandidates(facts, place, chosen, candidates.cpus);
  const unmet = {
    policy: [...(chosen.note === undefined ? [] : [chosen.note]), ...candidates.notes],
    rps: rps.notes,
  };
  for (const [about, notes] of Object.entries(unmet))
    if (notes.length > 0)
      problems.push({ vf: vf.address, about, code: "FALLBACK", message: notes.join("; ") });
  function attempt<T>(about: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      problems.push(describeProblem(vf.address, about, error));
      return undefined;
    }
  }
  const saved = attempt("tuning record", () => readTuningRecordOf(host, vf, parsers.parseTuningRecord));
  const seen = attempt("queues", () => {
    using queues = openVfQueues(host, record);
    const needsValues = chosen.rfs === true || chosen.threadedNapi === true || saved?.values !== undefined;
    return (
      queues && {
        netdev: queues.netdev,
        masks: queues.read(),
        values: needsValues ? queues.readValues() : [],
      }
    );
  });
  return {
    record,
    vf,
    chosen,
    candidates,
    rps,
    vectors: attempt("vectors", () => readToldVectors(host, record, vf)) ?? [],
    saved,
    masks: seen?.masks,
    values: seen?.values,
    channels:
      chosen.channelPerCpu === true || saved?.channels !== undefined
        ? attempt("channels", () => readChannels(host, record))
        : undefined,
    napis: chosen.threadedNapi === true ? attempt("threads", () => readNapis(host, record)) : [],
    netdev: seen?.netdev,
  };
}

function readToldVectors(host: Eyes, record: Attachment, vf: TunableVf): readonly Vector[] {
  const vectors = readVectors(host, vf);
  return areUntold(vectors) ? tellByNapi(vectors, readNapis(host, record) ?? []) : vectors;
}

/** A driver without any has none of each kind; undefined where the VF can't be looked at. */
export function readChannels(
  host: Pick<Eyes, "openNetlink" | "openEthtool" | "files" | "paths" | "namespaces">,
  record: Attachment,
): Channels | undefined {
  return withRecordLink(host, record, (netns, index) => {
    using ethtool = host.openEthtool(netns);
    return ethtool.getChannels(index) ?? {};
  });
}
