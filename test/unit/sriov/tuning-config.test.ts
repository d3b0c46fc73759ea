// node.yaml's key `tuning`: what is taken, and every problem with its path.

import { expect, test } from "vitest";

import { parseTuningConfig } from "../../../sriov/tuning-config.ts";

test("everything in it", () => {
  const { config, problems } = parseTuningConfig(
    {
      policy: "dedicated",
      coresPerNode: 2,
      housekeepingCpus: 0,
      rps: "explicit",
      rpsCpus: "2-3",
      xps: "off",
      rfs: true,
      threadedNapi: false,
      channelPerCpu: true,
      irqbalance: { configure: true },
      resources: {
        "sriov/fast": { policy: "explicit", cpus: "4,6-7" },
        "sriov/slow": { xps: "near", rfs: false, threadedNapi: true, channelPerCpu: false },
      },
    },
    "tuning",
  );
  expect(problems).toEqual([]);
  const nothing = { policy: undefined, cpus: undefined, coresPerNode: undefined, rps: undefined };
  const noKnobs = { xps: undefined, rfs: undefined, threadedNapi: undefined, channelPerCpu: undefined };
  expect(config).toStrictEqual({
    policy: "dedicated",
    cpus: undefined,
    coresPerNode: 2,
    rps: "explicit",
    rpsCpus: [2, 3],
    xps: "off",
    rfs: true,
    threadedNapi: false,
    channelPerCpu: true,
    housekeepingCpus: [0],
    configureIrqBalance: true,
    resources: new Map([
      ["sriov/fast", { ...nothing, ...noKnobs, policy: "explicit", cpus: [4, 6, 7], rpsCpus: undefined }],
      [
        "sriov/slow",
        {
          ...nothing,
          rpsCpus: undefined,
          xps: "near",
          rfs: false,
          threadedNapi: true,
          channelPerCpu: false,
        },
      ],
    ]),
  });
});

test.each([
  [{ polcy: "none" }, "tuning.polcy: unknown key, did you mean policy?"],
  [{ policy: "numa-spraed" }, "did you mean numa-spread?"],
  [{ cpus: "3-1" }, 'tuning.cpus: expected a list of CPUs like 0-3,8, got "3-1"'],
  [{ housekeepingCpus: "all" }, "tuning.housekeepingCpus: expected a list of CPUs"],
  [{ policy: "explicit", cpus: "-1" }, "tuning.cpus: expected a list of CPUs"],
  [{ rps: "explicit", rpsCpus: "0-99999" }, "tuning.rpsCpus: expected a list of CPUs"],
  [{ cpus: [0], resources: { "a/b": { policy: "explicit" } } }, "tuning.cpus: expected a list of CPUs"],
  [{ coresPerNode: 0 }, "tuning.coresPerNode: expected an integer of at least 1, got 0"],
  [{ policy: "explicit" }, "tuning.policy: explicit needs the key cpus"],
  [{ rps: "explicit" }, "tuning.rps: explicit needs the key rpsCpus"],
  [{ rps: "on" }, "tuning.rps: expected one of off, numa, pod, explicit"],
  [{ xps: true }, "tuning.xps: expected one of off, near, got true"],
  [{ rfs: "yes" }, 'tuning.rfs: expected true or false, got "yes"'],
  [{ threadedNapi: 1 }, "tuning.threadedNapi: expected true or false, got 1"],
  [{ channelPerCpu: "2" }, 'tuning.channelPerCpu: expected true or false, got "2"'],
  [{ resources: { vf: {} } }, "tuning.resources.vf: expected a resource name like sriov/vf"],
  [
    { resources: { "a/b": { policy: "explicit" } } },
    "tuning.resources.a/b.policy: explicit needs the key cpus",
  ],
  [{ resources: { "a/b": { housekeepingCpus: "0" } } }, "tuning.resources.a/b.housekeepingCpus: unknown key"],
  [{ irqbalance: { configure: "yes" } }, 'tuning.irqbalance.configure: expected true or false, got "yes"'],
  [{ irqbalance: { configur: true } }, "tuning.irqbalance.configur: unknown key, did you mean configure?"],
  ["none", 'tuning: expected an object, got "none"'],
])("%j: %s", (value, problem) => {
  expect(parseTuningConfig(value, "tuning").problems).toEqual([expect.stringContaining(problem)]);
});
