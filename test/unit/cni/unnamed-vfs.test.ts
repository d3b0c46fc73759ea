// VFs that udev has yet to name, as after a kill of the ADD that made them: the next ADD waits for that, and DEL gives them that name.

import { expect, test } from "vitest";

import { SystemCallError } from "../../../host/errors.ts";
import { callCni } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";

const vf = "0000:3b:02.0";
const network = { cniVersion: "1.0.0", name: "blue", type: "virtfn", ips: ["192.0.2.50/24"] };
const named = /^ {2}ens1f0v0 0000:3b:02\.0 .* altnames enp0s0v0 /m;

/** A node whose VFs somebody just made, who was killed before udev had named them. */
function makeNode(): FakeHost {
  const node = createFakeHost([{ name: "ens1f0", address: "0000:3b:00.0", vfs: 0 }]);
  node.addNetns("web-1");
  const { files, paths } = node.host;
  files.writeAtomic(paths.nodeConfig, "pfs: [ens1f0]\n");
  files.writeText(`${paths.sys}/bus/pci/devices/0000:3b:00.0/sriov_numvfs`, "2");
  return node;
}

/** ADD and DEL; how long ADD took by the node's clock. */
async function addAndDelete(node: FakeHost, config: object): Promise<number> {
  const beginMs = node.clock.monotonicMs();
  expect(await callCni(node.host, config)).toMatchObject({ exitCode: 0 });
  const tookMs = node.clock.monotonicMs() - beginMs;
  expect(await callCni(node.host, config, { command: "DEL" })).toMatchObject({ exitCode: 0 });
  await node.clock.advance(1000);
  return tookMs;
}

test.each([
  ["picked", { ...network, pf: "ens1f0" }],
  ["named by the call", { ...network, deviceID: vf }],
])(
  "a VF that is %s goes home under the name that udev gave it, and at once the next time",
  async (_how, config) => {
    using node = makeNode();
    expect(await addAndDelete(node, config)).toBeGreaterThanOrEqual(100);
    expect(node.toText()).toMatch(named);
    expect(await addAndDelete(node, config)).toBe(0);
    expect(node.toText()).toMatch(named);
  },
);

test("so does one on a kernel that does not tell where a name of its own is from", async () => {
  using node = makeNode();
  const { files } = node.host;
  const readText: typeof files.readText = (path) => {
    const text = files.readText(path);
    if (path.endsWith("/name_assign_type") && text === "1\n")
      throw new SystemCallError("read", path, "EINVAL");
    return text;
  };
  const silent = { ...node, host: { ...node.host, files: { ...files, readText } } };
  expect(await addAndDelete(silent, { ...network, deviceID: vf })).toBeGreaterThanOrEqual(100);
  expect(node.toText()).toMatch(named);
});

test("a node without udev, and a name that udev leaves, are not waited for", async () => {
  const config = { ...network, deviceID: vf };
  for (const leave of ["no udev", "done"] as const) {
    using node = makeNode();
    const { files, paths } = node.host;
    const link = [...node.kernel.host.links.values()].find(({ device }) => device === vf);
    if (leave === "no udev") files.remove(`${paths.udev}/control`);
    else files.writeAtomic(`${paths.udev}/data/n${link?.index}`, "");
    expect({ leave, tookMs: await addAndDelete(node, config) }).toEqual({ leave, tookMs: 0 });
  }
});

test("a name that udev leaves is waited for until udev is done, which no link event tells", async () => {
  using node = makeNode();
  const { files, paths } = node.host;
  const config = { ...network, deviceID: vf };
  const link = [...node.kernel.host.links.values()].find(({ device }) => device === vf);
  const entry = `${paths.udev}/data/n${link?.index}`;
  const readText: typeof files.readText = (path) =>
    path.endsWith("/name_assign_type") ? "1\n" : files.readText(path);
  const openNetlink: typeof node.host.openNetlink = (netns) => ({
    ...node.host.openNetlink(netns),
    subscribe: () => ({ [Symbol.dispose]: () => undefined }),
  });
  const host = { ...node.host, files: { ...files, readText }, openNetlink };
  const beginMs = node.clock.monotonicMs();
  expect(await callCni(host, config)).toMatchObject({ exitCode: 0 });
  expect(files.stat(entry)).toBeDefined();
  expect(node.clock.monotonicMs() - beginMs).toBeLessThan(200);
});

test("a udev that does not come to it keeps no pod waiting for more than 5 s", async () => {
  using node = makeNode();
  const { files, paths } = node.host;
  const readText: typeof files.readText = (path) =>
    path.endsWith("/name_assign_type") ? "1\n" : files.readText(path);
  const stat: typeof files.stat = (path) =>
    path.startsWith(`${paths.udev}/data/`) ? undefined : files.stat(path);
  const host = { ...node.host, files: { ...files, readText, stat } };
  const beginMs = node.clock.monotonicMs();
  expect(await callCni(host, { ...network, deviceID: vf })).toMatchObject({ exitCode: 0 });
  expect(node.clock.monotonicMs() - beginMs).toBe(5000);
});
