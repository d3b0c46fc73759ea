// One pass over a fake node: which policy a VF has, what becomes of its interrupts, and what when that changes.

import { describe, expect, test } from "vitest";

import { writeAttachment } from "../../../sriov/attachment-store.ts";
import { parseTuningConfig } from "../../../sriov/tuning-config.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { passOnce } from "../../support/tuning-pass.ts";

describe("a pass", () => {
  test("with policy none puts back what was changed, masks too", async () => {
    using node = createTuningNode();
    const record = node.attach(0, "web-1");
    await passOnce(node.host);
    writeAttachment(node.host, { ...record, tuning: { policy: "none" } });
    await passOnce(node.host);
    expect(node.affinities(0)).toBe("0-3 0-3 0-3");
    expect(node.mask("web-1")).toBe("");
    const { applied } = await passOnce(node.host);
    expect([...applied.values()].map(({ pinned, masks }) => pinned.length + masks.length)).toEqual([0]);
  });

  test("falls back to numa-spread from a policy it does not know, and says so", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "of-2031" } }));
    const { problems } = await passOnce(node.host);
    expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'FALLBACK: policy "of-2031" is not known here, using numa-spread',
    ]);
    expect(node.affinities(0)).toBe("0 1 0-3");
  });

  test("tells of RPS that can't go where it was asked to, beside the policy", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    const { config } = parseTuningConfig({ rps: "explicit", rpsCpus: "2,9" }, "tuning");
    const { problems } = await passOnce(node.host, undefined, { config });
    expect(problems).toEqual([
      {
        vf: node.address(0),
        about: "rps",
        code: "FALLBACK",
        message: "CPUs 9 of the list 2,9 are not online: RPS is without them",
      },
    ]);
    expect(node.mask("web-1")).toBe("2");
  });

  test("of follow-pod goes with the pod's own CPUs, and follows when they change", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "follow-pod" } }));
    const follow = async (cpus: readonly number[]): Promise<string> => {
      const { problems } = await passOnce(node.host, undefined, {
        exclusive: new Map([["shop/web-1", cpus]]),
      });
      expect(problems).toEqual([]);
      return `${node.affinities(0)} rps ${node.mask("web-1")}`;
    };
    expect(await follow([2, 3])).toBe("2 2 0-3 rps 3");
    expect(await follow([6])).toBe("6 6 0-3 rps ");
  });

  test("of follow-pod deals the queues of a pod's VFs out one after the other", async () => {
    using node = createTuningNode();
    attachBoth(node);
    await passOnce(node.host, undefined, { exclusive: new Map([["shop/web", [1, 2, 3]]]) });
    expect([node.affinities(0), node.affinities(1)]).toEqual(["1 1 0-3", "2 2 0-3"]);
  });

  test("of follow-pod leaves the queues of a pod's other VF where they are while one is down", async () => {
    using node = createTuningNode(2, "ice");
    attachBoth(node);
    const facts = { exclusive: new Map([["shop/web", [1, 2, 3]]]) };
    await passOnce(node.host, undefined, facts);
    const before = [node.affinities(0), node.affinities(1)];
    expect(before).toEqual(["1 2 0-3", "3 1 0-3"]);
    node.close(0, "net1");
    await passOnce(node.host, undefined, facts);
    expect([node.affinities(0), node.affinities(1)]).toEqual(before);
  });

  test("takes the policy of the VF's resource, and of the node where neither pod nor network asked", async () => {
    using node = createTuningNode();
    const { config } = parseTuningConfig(
      { policy: "none", resources: { "sriov/fast": { policy: "explicit", cpus: 5 } } },
      "tuning",
    );
    const resourceOf = new Map([[String(node.address(1)), "sriov/fast"]]);
    node.attach(0, "web-1", (record) => ({ ...record, tuning: { policy: "numa-spread" } }));
    node.attach(1, "web-2");
    node.attach(2, "web-3");
    await passOnce(node.host, undefined, { config, resourceOf });
    expect([0, 1, 2].map((vf) => node.affinities(vf))).toEqual(["0 1 0-3", "5 5 0-3", "0-3 0-3 0-3"]);
  });

  test("with a node that says none puts back what was changed while pods run", async () => {
    using node = createTuningNode();
    node.attach(0, "web-1");
    await passOnce(node.host);
    await passOnce(node.host, undefined, { config: parseTuningConfig({ policy: "none" }, "tuning").config });
    expect(node.affinities(0)).toBe("0-3 0-3 0-3");
    expect(node.mask("web-1")).toBe("");
  });
});

/** Two VFs of one pod, whose interrupts shall be on its own CPUs. */
function attachBoth(node: TuningNode): void {
  const both = { namespace: "shop", name: "web", uid: "uid-web" };
  for (const vf of [0, 1])
    node.attach(vf, `web-${vf}`, (record) => ({
      ...record,
      owner: { ...record.owner, pod: both },
      tuning: { policy: "follow-pod" },
    }));
}
