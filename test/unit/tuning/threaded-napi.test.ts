// NAPI in kernel threads: on by choice, each thread on the CPU of its queue's interrupt, and off again afterwards.

import * as fs from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import type { Host } from "../../../host/host.ts";
import { run } from "../../../tuning/main.ts";
import { createPassMemory } from "../../../tuning/pass-memory.ts";
import { createTuningNode, type TuningNode } from "../../support/tuning-node.ts";
import { listWrites, passOnce } from "../../support/tuning-pass.ts";

const noUevents = { subscribe: () => ({ [Symbol.dispose]: () => {} }) };

function configure({ host }: TuningNode, yaml: string): void {
  host.files.writeAtomic(host.paths.nodeConfig, yaml);
}

/** A node where each VF is to have it, with a pod, once it is settled. */
async function threaded(): Promise<TuningNode> {
  const node = createTuningNode();
  configure(node, "tuning: { threadedNapi: true }");
  node.attach(0, "web-1");
  expect((await passOnce(node.host)).isUnfinished).toBe(true);
  expect((await passOnce(node.host)).isUnfinished).toBe(false);
  return node;
}

/** Names of the node's NAPI threads with their CPUs. */
function listThreads({ host }: TuningNode): readonly string[] {
  const { proc } = host.paths;
  return fs.readdirSync(proc).flatMap((pid) => {
    const path = join(proc, pid, "comm");
    if (!fs.existsSync(path)) return [];
    const cpus = /allowed_list:\s*(\S+)/.exec(fs.readFileSync(join(proc, pid, "status"), "utf8"))?.[1];
    return [`${fs.readFileSync(path, "utf8").trim()} on ${cpus}`];
  });
}

/** As on a kernel before 6.8. */
function openUntoldNapis(): ReturnType<Host["openNapis"]> {
  return { list: () => undefined, [Symbol.dispose]: () => {} };
}

test("a VF has none unless somebody asks for it", async () => {
  using node = createTuningNode();
  node.attach(0, "web-1");
  await passOnce(node.host);
  expect(node.value("web-1", "threaded")).toBe("0");
});

test("the thread is on the CPU of the receive queue's interrupt", async () => {
  using node = await threaded();
  expect(node.value("web-1", "threaded")).toBe("1");
  expect(node.affinities(0)).toBe("0 1 0-3");
  expect(listThreads(node)).toEqual(["napi/net1-1200 on 1"]);
  node.fake.endProcess();
  expect(await listWrites(node)).toEqual([]);
});

test("the thread follows its interrupt", async () => {
  using node = await threaded();
  node.setOnline("0,2-7");
  await passOnce(node.host);
  expect(node.affinities(0)).toBe("0 2 0-3");
  expect(listThreads(node)).toEqual(["napi/net1-1200 on 2"]);
});

test.each(["threadedNapi: false", "threadedNapi: true, policy: none"])(
  "with %s the netdev is as before",
  async (settings) => {
    using node = await threaded();
    configure(node, `tuning: { ${settings} }`);
    await passOnce(node.host);
    expect(node.value("web-1", "threaded")).toBe("0");
  },
);

test("under policy none a thread that stays has the CPUs that it had", async () => {
  using node = await threaded();
  configure(node, "tuning: { threadedNapi: true, policy: none }");
  await passOnce(node.host);
  expect(listThreads(node)).toEqual(["napi/net1-1200 on 0-7"]);
});

test("a thread that has the pid of one that is gone keeps its CPUs", async () => {
  using node = await threaded();
  const { proc } = node.host.paths;
  const pid = fs.readdirSync(proc).find((name) => fs.existsSync(join(proc, name, "comm"))) ?? "";
  fs.writeFileSync(join(proc, pid, "comm"), "napi/eth9-77\n");
  configure(node, "tuning: { threadedNapi: true, policy: none }");
  await passOnce(node.host);
  expect(listThreads(node)).toEqual(["napi/eth9-77 on 1"]);
});

test("--restore puts it back in a running pod", async () => {
  using node = await threaded();
  expect(await run({ ...node.host, uevents: noUevents }, ["--restore"], () => {})).toBe(0);
  expect(node.value("web-1", "threaded")).toBe("0");
  expect(listThreads(node)).toEqual(["napi/net1-1200 on 0-7"]);
});

test("what somebody had on before stays on, with the CPUs that its threads had", async () => {
  using node = createTuningNode();
  configure(node, "tuning: { threadedNapi: true }");
  node.attach(0, "web-1");
  node.setValue("web-1", "threaded", "2");
  await passOnce(node.host);
  expect(listThreads(node)).toEqual(["napi/net1-1200 on 1"]);
  await run({ ...node.host, uevents: noUevents }, ["--restore"], () => {});
  expect(node.value("web-1", "threaded")).toBe("2");
  expect(listThreads(node)).toEqual(["napi/net1-1200 on 0-7"]);
});

test("a driver without NAPI is told of once, and not asked again", async () => {
  using node = createTuningNode();
  configure(node, "tuning: { threadedNapi: true }");
  node.attach(0, "web-1");
  let writes = 0;
  const host: Host = {
    ...node.host,
    namespaces: {
      ...node.host.namespaces,
      openSysfs: (netns) => {
        const sysfs = node.host.namespaces.openSysfs(netns);
        const writeText = (path: string, text: string): void => {
          if (!path.endsWith("/threaded")) return sysfs.writeText(path, text);
          writes += 1;
          throw new SystemCallError("write", path, "EOPNOTSUPP");
        };
        return { ...sysfs, writeText };
      },
    },
  };
  const memory = createPassMemory(host);
  for (let pass = 0; pass < 3; pass += 1) {
    const { problems, isUnfinished } = await passOnce(host, memory);
    expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["threaded UNSUPPORTED"]);
    expect(isUnfinished).toBe(false);
  }
  expect(writes).toBe(1);
  expect(node.affinities(0)).toBe("0 1 0-3");
});

test("where the kernel tells of no threads they run where they may, and that is told", async () => {
  using node = createTuningNode();
  configure(node, "tuning: { threadedNapi: true }");
  node.attach(0, "web-1");
  const { problems } = await passOnce({ ...node.host, openNapis: openUntoldNapis });
  expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["threads UNSUPPORTED"]);
  expect(node.value("web-1", "threaded")).toBe("1");
});

test("a thread that can't be moved is told of, and not tried again", async () => {
  using node = createTuningNode();
  configure(node, "tuning: { threadedNapi: true }");
  node.attach(0, "web-1");
  let calls = 0;
  const setCpus = (pid: number): never => {
    calls += 1;
    throw new SystemCallError("sched_setaffinity", `${pid}`, "EINVAL");
  };
  const host: Host = { ...node.host, threads: { ...node.host.threads, setCpus } };
  const memory = createPassMemory(host);
  await passOnce(host, memory);
  for (let pass = 0; pass < 2; pass += 1) {
    const { problems } = await passOnce(host, memory);
    expect(problems.map(({ about, code }) => `${about} ${code}`)).toEqual(["threads UNSUPPORTED"]);
  }
  expect(calls).toBe(1);
});
