// Every kind of change that tuning makes to a node, each with a node where it is due: what is killed in it must end as what is not.

import * as fs from "node:fs";
import { join } from "node:path";

import { readAttachment, writeAttachment } from "../../sriov/attachment-store.ts";
import { run } from "../../tuning/main.ts";
import type { TuningDaemonHost } from "../../tuning/node-watch.ts";
import { createTuningNode, type TuningNode } from "./tuning-node.ts";
import { passOnce } from "./tuning-pass.ts";

export interface TuningKillCase {
  readonly name: string;
  /** igb by default. */
  readonly driver?: "ice";
  /** Makes the change due, after what tuning did before it. */
  readonly prepare: (node: TuningNode) => void | Promise<void>;
  /** One process of tuning that makes the change; a pass by default. */
  readonly act?: (host: TuningDaemonHost) => Promise<unknown>;
  /** Nothing of tuning is left on the node afterwards. */
  readonly isUndone?: boolean;
}

/** The threads come with the first pass, and are pinned by the second. */
async function passTwice(host: TuningDaemonHost): Promise<void> {
  await passOnce(host);
  await passOnce(host);
}

const tuned = async (node: TuningNode): Promise<void> => {
  for (const vf of [0, 1]) node.attach(vf, `web-${vf}`);
  await passOnce(node.host);
};

const channelsOfTwoCpus = "tuning: { policy: explicit, cpus: 2-3, channelPerCpu: true }\n";

function setNodeConfig({ host }: TuningNode, text: string): void {
  host.files.writeAtomic(host.paths.nodeConfig, text);
}

/** Records of another minor format, with fields that are not known here. */
export const laterRelease: TuningKillCase = {
  name: "what a later release left",
  prepare: async (node) => {
    await tuned(node);
    for (const name of fs.readdirSync(node.host.paths.tuningState)) {
      const path = join(node.host.paths.tuningState, name);
      const text = fs.readFileSync(path, "utf8");
      fs.writeFileSync(path, text.replace('"format": "1.2"', '"format": "1.7", "mood": "good"'));
    }
  },
};

export const tuningKillCases: readonly TuningKillCase[] = [
  { name: "two pods that came", prepare: (node) => [0, 1].forEach((vf) => node.attach(vf, `web-${vf}`)) },
  {
    name: "a third pod that came",
    prepare: async (node) => {
      await tuned(node);
      node.attach(2, "web-2");
    },
  },
  {
    name: "a CPU that went offline",
    prepare: async (node) => {
      await tuned(node);
      node.setOnline("0,2-7");
    },
  },
  {
    name: "pins that somebody moved",
    prepare: async (node) => {
      await tuned(node);
      node.setAffinity(0, 0, "3");
      node.setAffinity(1, 1, "0-7");
    },
  },
  {
    name: "another policy of the node",
    prepare: async (node) => {
      await tuned(node);
      setNodeConfig(node, "tuning: { policy: explicit, cpus: 2-3, rps: numa, housekeepingCpus: 0 }\n");
    },
  },
  {
    name: "two transmit queues",
    driver: "ice",
    prepare: (node) => {
      node.attach(0, "web-0");
      node.addQueues("web-0");
    },
  },
  {
    name: "two transmit queues that nobody wants steered any more",
    driver: "ice",
    prepare: async (node) => {
      node.attach(0, "web-0");
      node.addQueues("web-0");
      await passOnce(node.host);
      setNodeConfig(node, "tuning: { xps: off }\n");
    },
  },
  {
    name: "receive flow steering",
    prepare: async (node) => {
      await tuned(node);
      setNodeConfig(node, "tuning: { rfs: true }\n");
    },
  },
  {
    name: "receive flow steering that nobody wants any more",
    prepare: async (node) => {
      setNodeConfig(node, "tuning: { rfs: true }\n");
      await tuned(node);
      setNodeConfig(node, "tuning: {}\n");
    },
  },
  {
    name: "pods that went, with receive flow steering",
    isUndone: true,
    prepare: async (node) => {
      setNodeConfig(node, "tuning: { rfs: true }\n");
      await tuned(node);
      for (const vf of [0, 1]) node.detach(vf, `web-${vf}`);
    },
  },
  {
    name: "NAPI in threads",
    prepare: (node) => {
      setNodeConfig(node, "tuning: { threadedNapi: true }\n");
      for (const vf of [0, 1]) node.attach(vf, `web-${vf}`);
    },
    act: passTwice,
  },
  {
    name: "NAPI in threads that nobody wants any more",
    isUndone: true,
    prepare: async (node) => {
      setNodeConfig(node, "tuning: { threadedNapi: true }\n");
      await tuned(node);
      await passOnce(node.host);
      setNodeConfig(node, "tuning: { policy: none }\n");
    },
  },
  {
    name: "as many channels as CPUs",
    driver: "ice",
    prepare: async (node) => {
      await tuned(node);
      setNodeConfig(node, channelsOfTwoCpus);
    },
  },
  {
    name: "as many channels as CPUs that nobody wants any more",
    driver: "ice",
    prepare: async (node) => {
      setNodeConfig(node, channelsOfTwoCpus);
      await tuned(node);
      setNodeConfig(node, "tuning: { policy: explicit, cpus: 2-3 }\n");
    },
  },
  {
    name: "--restore of channels",
    driver: "ice",
    isUndone: true,
    prepare: async (node) => {
      setNodeConfig(node, channelsOfTwoCpus);
      await tuned(node);
    },
    act: async (host) => run(host, ["--restore"], () => {}),
  },
  laterRelease,
  {
    name: "a record that can't be read",
    prepare: async (node) => {
      node.attach(0, "web-0");
      fs.mkdirSync(node.host.paths.tuningState, { recursive: true });
      fs.writeFileSync(join(node.host.paths.tuningState, `${node.address(0)}.json`), "");
    },
  },
  {
    name: "policy none",
    isUndone: true,
    prepare: async (node) => {
      await tuned(node);
      for (const vf of [0, 1]) {
        const record = readAttachment(node.host, node.address(vf));
        if (record !== undefined) writeAttachment(node.host, { ...record, tuning: { policy: "none" } });
      }
    },
  },
  {
    name: "pods that went",
    isUndone: true,
    prepare: async (node) => {
      await tuned(node);
      for (const vf of [0, 1]) node.detach(vf, `web-${vf}`);
    },
  },
  {
    name: "--restore",
    isUndone: true,
    prepare: tuned,
    act: async (host) => run(host, ["--restore"], () => {}),
  },
];

/** A node with three VFs where the change is due. */
export async function createTuningKillNode({ prepare, driver }: TuningKillCase): Promise<TuningNode> {
  const node = createTuningNode(3, driver);
  await prepare(node);
  node.fake.endProcess();
  return node;
}
