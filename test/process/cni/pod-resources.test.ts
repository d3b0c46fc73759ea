// A checkpoint that is missing or cut off: the CNI asks the kubelet's PodResources API, served here by a real gRPC server.

import { type ServiceError, status } from "@grpc/grpc-js";
import * as fs from "node:fs";
import { expect, test } from "vitest";

import type { Host } from "../../../host/host.ts";
import type { PodResourcesListerServer } from "../../../kubelet/gen/podresources.ts";
import { callCni, podArgs } from "../../support/cni-call.ts";
import { createFakeHost, type FakeHost } from "../../support/fake-host.ts";
import { servePodResources } from "../../support/serve-pod-resources.ts";

const prevResult = {
  interfaces: [{ name: "eth0", sandbox: "/run/netns/web-1" }],
  ips: [{ address: "10.0.0.4/24" }],
};
const config = { cniVersion: "1.0.0", name: "cluster", type: "virtfn", prevResult };
const chained = { ifName: "eth0" };
const devices = [{ resourceName: "sriov/vf", deviceIds: ["0000:3b:02.1"], topology: undefined }];

const unimplemented = { code: status.UNIMPLEMENTED };

/**
 * Answers for pod shop/web-1, which has one VF; everyone else is unknown, in the kubelet's words. With `noGet` in its place it has
 * List alone.
 */
async function serve(node: FakeHost, noGet?: Partial<ServiceError>): Promise<Disposable> {
  const container = { name: "app", devices, cpuIds: [], memory: [], dynamicResources: [] };
  const web1 = { namespace: "shop", name: "web-1", containers: [container] };
  const others = ["web-1", "web-0"].map((name) => ({ namespace: "other", name, containers: [] }));
  const implementation: PodResourcesListerServer = {
    list: (_call, done) =>
      noGet === undefined ? done(unimplemented) : done(null, { podResources: [...others, web1] }),
    getAllocatableResources: (_call, done) =>
      done(null, {
        devices: [
          {
            ...devices[0],
            resourceName: "sriov/vf",
            deviceIds: ["0000:3b:02.0", "0000:3b:02.1"],
            topology: undefined,
          },
        ],
        cpuIds: [],
        memory: [],
      }),
    get: (call, done) => {
      if (noGet !== undefined) done(noGet);
      else if (call.request.podName === "web-1") done(null, { podResources: web1 });
      else done({ code: status.UNKNOWN, details: "pod not found" });
    },
  };
  return servePodResources(node.host.paths.kubelet.podResourcesSocket, implementation);
}

// gRPC's deadlines are of the real clock.
function withRealTime(host: Host): Host {
  return { ...host, clock: { ...host.clock, nowMs: () => Date.now() } };
}

function makeNode(): FakeHost {
  const node = createFakeHost();
  node.addNetns("web-1");
  return node;
}

test.each([undefined, "", '{"Data":'])(
  "with the checkpoint %j PodResources tells the pod's VFs",
  async (text) => {
    using node = makeNode();
    using _kubelet = await serve(node);
    if (text !== undefined) node.host.files.writeAtomic(node.host.paths.kubelet.checkpoint, text);
    const answer = await callCni(withRealTime(node.host), config, chained);
    expect(answer.json?.["interfaces"]).toMatchObject([
      { name: "eth0" },
      { name: "net1", pciID: "0000:3b:02.1" },
    ]);
  },
);

test("so it does with a checkpoint that cannot be read at all", async () => {
  using node = makeNode();
  using _kubelet = await serve(node);
  node.host.files.makeFolder(node.host.paths.kubelet.checkpoint);
  const answer = await callCni(withRealTime(node.host), config, chained);
  expect(answer.json?.["interfaces"]).toMatchObject([{ name: "eth0" }, { name: "net1" }]);
});

test("with a checkpoint that can be read it is not asked: that alone tells the pod's VFs", async () => {
  using node = makeNode();
  using _kubelet = await serve(node);
  node.allocate("uid-web-1", { app: ["0000:3b:02.2"] });
  const answer = await callCni(withRealTime(node.host), config, chained);
  expect(answer.json?.["interfaces"]).toMatchObject([
    { name: "eth0" },
    { name: "net1", pciID: "0000:3b:02.2" },
  ]);
  // One that it knows by its name, and the checkpoint does not by its UID.
  const args = podArgs("web-1").replace("uid-web-1", "uid-of-before");
  const other = { ...chained, containerId: "c2", netns: node.addNetns("web-2"), args };
  expect((await callCni(withRealTime(node.host), config, other)).json?.["interfaces"]).toEqual(
    prevResult.interfaces,
  );
});

test("a pod that it does not know has none", async () => {
  using node = makeNode();
  using _kubelet = await serve(node);
  const answer = await callCni(withRealTime(node.host), config, { ...chained, args: podArgs("web-2") });
  expect(answer.json).toMatchObject({ interfaces: prevResult.interfaces });
});

test.each([
  ["of another format", (uid: string) => `{"Data":{"Pods":{"${uid}":{"init":["0000:3b:02.3"]}}}}`],
  ["that was cut off", (uid: string) => `{"Data":{"PodDeviceEntries":[{"PodUID":"${uid}","Cont`],
])("it leaves out init containers: a pod that a checkpoint %s names is tried again", async (_, format) => {
  using node = makeNode();
  using _kubelet = await serve(node);
  const { files, paths } = node.host;
  const call = { ...chained, args: podArgs("web-2") };
  files.writeAtomic(paths.kubelet.checkpoint, format("uid-web-2"));
  expect((await callCni(withRealTime(node.host), config, call)).json).toMatchObject({
    code: 11,
    msg: expect.stringMatching(/^ERR_CNI_KUBELET: .*names the pod.*init containers/) as string,
  });
  // One whose app containers have devices is told, and one that the checkpoint does not name has none.
  files.writeAtomic(paths.kubelet.checkpoint, format("uid-web-1"));
  expect((await callCni(withRealTime(node.host), config, call)).json?.["interfaces"]).toEqual(
    prevResult.interfaces,
  );
  expect((await callCni(withRealTime(node.host), config, chained)).json?.["interfaces"]).toMatchObject([
    { name: "eth0" },
    { name: "net1", pciID: "0000:3b:02.1" },
  ]);
});

test.each<[string, Partial<ServiceError>]>([
  ["does not know Get", unimplemented],
  // Source: kubelet, pkg/kubelet/apis/podresources/server_v1.go, with KubeletPodResourcesGet off.
  ["has Get switched off", { code: status.UNKNOWN, details: "PodResources API Get method disabled" }],
])("a kubelet that %s is asked for its list", async (_, noGet) => {
  using node = makeNode();
  using _kubelet = await serve(node, noGet);
  expect((await callCni(withRealTime(node.host), config, chained)).json?.["interfaces"]).toMatchObject([
    { name: "eth0" },
    { name: "net1", pciID: "0000:3b:02.1" },
  ]);
  const answer = await callCni(withRealTime(node.host), config, { ...chained, args: podArgs("web-0") });
  expect(answer.json?.["interfaces"]).toEqual(prevResult.interfaces);
});

test("another failure of Get is error 11: the pod is tried again", async () => {
  using node = makeNode();
  using _kubelet = await serve(node, { code: status.UNKNOWN, details: "no disk" });
  expect((await callCni(withRealTime(node.host), config, chained)).json).toMatchObject({ code: 11 });
});

test("a device that it hands out is not given to a pod that it did not give it to", async () => {
  using node = makeNode();
  using _kubelet = await serve(node);
  const device = { cniVersion: "1.0.0", name: "blue", type: "virtfn", deviceID: "0000:3b:02.0" };
  expect((await callCni(withRealTime(node.host), device)).json).toMatchObject({ code: 7 });
  expect((await callCni(withRealTime(node.host), { ...device, deviceID: "0000:3b:02.1" })).exitCode).toBe(0);
});

test("a socket that nobody listens on is error 11: the pod is tried again", async () => {
  using node = makeNode();
  const kubelet = await serve(node);
  const { podResourcesSocket } = node.host.paths.kubelet;
  // Under another name while it closes, as a kubelet that is killed leaves it: a server that ends removes its socket.
  fs.renameSync(podResourcesSocket, `${podResourcesSocket}.kept`);
  kubelet[Symbol.dispose]();
  fs.renameSync(`${podResourcesSocket}.kept`, podResourcesSocket);
  const { json } = await callCni(withRealTime(node.host), config, chained);
  expect(json).toMatchObject({ code: 11, msg: expect.stringMatching(/^ERR_CNI_KUBELET: .*PodResources/) });
});
