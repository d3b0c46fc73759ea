// A failure, or a kill -9, at every single host call of ADD and DEL: nothing may be left behind.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { callCni, type TestAnswer, type TestCall } from "../../support/cni-call.ts";
import type { FakeHost } from "../../support/fake-host.ts";
import { withFault, type Fault } from "../../support/faults.ts";
import { createKillNode, killCases } from "../../support/kill-cases.ts";

/** Hundreds of nodes are made in one test. */
const slowMs = 120_000;

// Those with less are in kills.test.ts.
const cases = killCases.filter(
  ({ name }) => !["with nothing but a device", "with host-local", "with static"].includes(name),
);

// What has happened before a call has happened after the one before it: one case dies in both ways.
function killsOf(name: string): readonly ("killBefore" | "killAfter")[] {
  return name === "with every setting" ? ["killBefore", "killAfter"] : ["killAfter"];
}

for (const { name, config, call } of cases) {
  test(
    `ADD ${name} that fails at any host call leaves the node and the leases as they were, and names the step`,
    async () => {
      const total = await countCalls(config, async (_node, host) => callCni(host, config, call));
      let failures = 0;
      for (let at = 0; at < total; at += 1) {
        using node = createKillNode({ config });
        const before = node.toText();
        const answer = await addWith(node, { at, how: "fail" }, config, call);
        if (answer.exitCode === 0) continue;
        failures += 1;
        expect({ at, text: node.toText() }).toEqual({ at, text: before });
        expect({ at, ...answer.json }).toMatchObject({
          at,
          msg: expect.stringMatching(/step "[^"]+": /) as string,
        });
        expect(node.locks.held.size).toBe(0);
        expect({ at, handles: node.kernel.handles.size }).toEqual({ at, handles: 0 });
      }
      expect(failures).toBeGreaterThan(total / 2);
    },
    slowMs,
  );

  for (const how of killsOf(name))
    test(
      `ADD ${name} that is killed (${how}) at any host call leaves nothing once DEL was called`,
      async () => {
        const total = await countCalls(config, async (_node, host) => callCni(host, config, call));
        for (let at = 0; at < total; at += 1) {
          using node = createKillNode({ config });
          const before = node.toText();
          await addWith(node, { at, how }, config, call);
          const deleted = await callCni(node.host, config, { ...call, command: "DEL" });
          expect({ at, ...deleted }).toMatchObject({ at, exitCode: 0 });
          expect({ at, text: node.toText() }).toEqual({ at, text: before });
        }
      },
      slowMs,
    );

  for (const how of ["fail", ...killsOf(name)] as const)
    test(
      `DEL ${name} that is ended (${how}) at any host call is finished by the next DEL, also when the namespace is gone by then`,
      async () => {
        const total = await countCalls(config, async (node, host) => {
          await callCni(node.host, config, call);
          return callCni(host, config, { ...call, command: "DEL" });
        });
        for (let at = 0; at < total; at += 1)
          for (const isNetnsGone of [false, true]) {
            using node = createKillNode({ config });
            const before = node.toText();
            await callCni(node.host, config, call);
            await runWith(node, { at, how }, (host) => callCni(host, config, { ...call, command: "DEL" }));
            if (isNetnsGone) node.removeNetns("web-1", 500);
            const second = { ...call, command: "DEL", ...(isNetnsGone ? { netns: "" } : {}) };
            const { prevResult: _gone, ...withoutResult } = config as { readonly prevResult?: object };
            const deleted = await callCni(node.host, isNetnsGone ? withoutResult : config, second);
            expect({ at, ...deleted }).toMatchObject({ at, exitCode: 0 });
            const expected = isNetnsGone ? before.replace(/\/run\/netns\/web-1\n?/, "") : before;
            expect({ at, text: node.toText().trimEnd() }).toEqual({ at, text: expected.trimEnd() });
          }
      },
      slowMs,
    );
}

async function addWith(node: FakeHost, fault: Fault, config: object, call: TestCall): Promise<TestAnswer> {
  return runWith(node, fault, (host) => callCni(host, config, call));
}

async function runWith(
  node: FakeHost,
  fault: Fault,
  run: (host: Host) => Promise<TestAnswer>,
): Promise<TestAnswer> {
  const faulty = withFault(node.host, fault);
  const answer = await run(faulty.host);
  if (fault.how !== "fail") node.endProcess();
  return answer;
}

async function countCalls(
  config: object,
  run: (node: FakeHost, host: Host) => Promise<TestAnswer>,
): Promise<number> {
  using node = createKillNode({ config });
  const counted = withFault(node.host);
  const answer = await run(node, counted.host);
  expect(answer.json ?? {}).not.toHaveProperty("msg");
  expect(answer.exitCode).toBe(0);
  return counted.calls.length;
}
