// Every variable missing or wrong, for every verb.

import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import { createHost } from "../../../host/create-host.ts";
import { runOn } from "../../support/run-cni.ts";

const good = {
  CNI_CONTAINERID: "4f1c09",
  CNI_NETNS: "/run/netns/web-1",
  CNI_IFNAME: "net1",
  CNI_ARGS: "K8S_POD_NAME=web-1",
  CNI_PATH: "/opt/cni/bin",
};
const needed = {
  ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
  CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
  DEL: ["CNI_CONTAINERID", "CNI_IFNAME"],
} as const;
const wrong = {
  CNI_CONTAINERID: ["-x", "a/b", "a b", "_a"],
  CNI_NETNS: ["web-1", "run/netns/x"],
  CNI_IFNAME: ["sixteen-bytes-xx", "a/b", "a b", ".", "..", "a:b"],
  CNI_ARGS: ["novalue", "=x", "A=1;B"],
} as const;

const noNode = (): Host => createHost({ root: "/none" });

function noHost(): Host {
  throw new Error("the node was touched");
}

async function run(environment: Record<string, string | undefined>): Promise<{ code: number; msg: string }> {
  const { exitCode, stdout } = await runOn(noHost, {
    environment,
    stdin: '{"cniVersion":"0.4.0","name":"blue"}',
  });
  expect(exitCode).toBe(1);
  const answer = JSON.parse(stdout) as { cniVersion: string; code: number; msg: string };
  expect(answer.cniVersion).toBe("0.4.0");
  return answer;
}

for (const [command, names] of Object.entries(needed)) {
  test.each(names)(`${command} without %s is error 4 and names it`, async (name) => {
    for (const missing of [undefined, ""]) {
      const answer = await run({ ...good, CNI_COMMAND: command, [name]: missing });
      expect(answer.code).toBe(4);
      expect(answer.msg).toMatch(new RegExp(`${name}: expected .+, got nothing`));
    }
  });

  test.each(Object.entries(wrong))(
    `${command} with a wrong %s is error 4 and quotes it`,
    async (name, values) => {
      for (const value of values) {
        const answer = await run({ ...good, CNI_COMMAND: command, [name]: value });
        expect(answer.code).toBe(4);
        expect(answer.msg).toContain(`${name}: expected`);
        expect(answer.msg).toContain(JSON.stringify(value));
      }
    },
  );
}

test("all variables that are wrong are named at once", async () => {
  const answer = await run({ CNI_COMMAND: "ADD", CNI_IFNAME: "a/b" });
  expect(answer.msg).toMatchInlineSnapshot(
    `"ERR_CNI_ENVIRONMENT: CNI_CONTAINERID: expected letters, digits, _, . and -, starting with a letter or digit, got nothing | CNI_NETNS: expected an absolute path of a network namespace, got nothing | CNI_IFNAME: expected an interface name of at most 15 bytes without /, : and spaces, got "a/b""`,
  );
});

test.each([undefined, "", "add", "UPDATE"])("CNI_COMMAND %j is error 4", async (command) => {
  const answer = await run({ ...good, CNI_COMMAND: command });
  expect(answer.code).toBe(4);
  expect(answer.msg).toContain("CNI_COMMAND: expected one of ADD, DEL, CHECK, GC, STATUS, VERSION");
});

test.each(["0.3.1", "0.4.0", "1.0.0", "1.1.0"])(
  "VERSION asked in %s lists what is spoken",
  async (version) => {
    const environment = {
      CNI_COMMAND: "VERSION",
      CNI_NETNS: "dummy",
      CNI_IFNAME: "dummy",
      CNI_PATH: "dummy",
    };
    const stdin = `{"cniVersion":"${version}"}`;
    const { exitCode, stdout } = await runOn(noHost, { environment, stdin });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      cniVersion: version,
      supportedVersions: ["0.3.1", "0.4.0", "1.0.0", "1.1.0"],
    });
  },
);

const right = [
  ["CNI_CONTAINERID", ["4", "4f1c09_a.b-c", "A".repeat(200)]],
  ["CNI_IFNAME", ["e", "fifteen-bytes-x", "net1.100", "-net", "ünet"]],
  ["CNI_NETNS", ["/proc/4711/ns/net", "/var/run/netns/cni 1"]],
  ["CNI_ARGS", ["", ";", "A=", "A=1;;B=2;", "IgnoreUnknown=1;A=b=c"]],
] as const;

test.each(right)("a %s of any form that the specification allows is taken", async (name, values) => {
  for (const value of values) {
    // The next thing that a call needs is its configuration.
    const environment = { ...good, CNI_COMMAND: "DEL", [name]: value };
    const { stdout } = await runOn(noNode, { environment, stdin: "{" });
    expect(JSON.parse(stdout)).toMatchObject({ code: 6 });
  }
});
