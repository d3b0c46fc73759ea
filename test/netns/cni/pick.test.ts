// Way 4 on the real kernel, with real locks: 64 processes at once want a VF of a PF that has 7.

import * as fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

import { createTestNetns, type TestNetns } from "../../support/netns.ts";
import { createStandInNode, type StandInAnswer } from "../../support/stand-in-node.ts";

const vfs = 7;
const processes = 64;

function pickedOf({ json }: StandInAnswer): string | undefined {
  return (json?.["interfaces"] as readonly { readonly pciID: string }[] | undefined)?.[0]?.pciID;
}

test("64 ADD processes on 7 VFs: 7 pods get one each, 57 get error 11; DEL gives all back", async () => {
  using node = createStandInNode(vfs);
  using stack = new DisposableStack();
  const pods: TestNetns[] = [];
  for (let at = 0; at < processes; at += 1) pods.push(stack.use(createTestNetns()));
  fs.mkdirSync(join(node.root, "etc/virtfn"), { recursive: true });
  fs.writeFileSync(join(node.root, "etc/virtfn/node.yaml"), "pfs:\n  - name: pf0\n");
  const before = node.toText();
  const config = { cniVersion: "1.0.0", name: "lan", type: "virtfn", pf: "pf0", ips: ["192.0.2.50/24"] };
  const call = (verb: string) =>
    Promise.all(
      pods.map((pod, at) => node.call(verb, config, { CNI_CONTAINERID: `c${at}`, CNI_NETNS: pod.path })),
    );
  const answers = await call("ADD");
  const given = answers.map(pickedOf).filter((address) => address !== undefined);
  expect(given).toHaveLength(vfs);
  expect(new Set(given).size).toBe(vfs);
  const refused = answers.filter(({ exitCode }) => exitCode !== 0).map(({ json }) => json);
  expect(refused).toHaveLength(processes - vfs);
  for (const json of refused)
    expect(json).toMatchObject({
      code: 11,
      msg: expect.stringMatching(
        /no VF of pf0 is free for container c.*: (?:attached to container c\d+ as net1|process \d+ works on it)/,
      ) as string,
    });
  expect((await call("DEL")).filter(({ exitCode }) => exitCode !== 0)).toEqual([]);
  expect(node.toText()).toBe(before);
}, 180_000);
