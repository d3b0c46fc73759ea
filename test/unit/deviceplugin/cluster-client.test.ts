// Labels and Events at an API server over TLS, with the client that ships.

import { join } from "node:path";
import { expect, test } from "vitest";

import { findAccess, openCluster } from "../../../deviceplugin/cluster-client.ts";
import { createFakeApiServer, writeCredentials } from "../../support/fake-api-server.ts";
import { createFakeHost } from "../../support/fake-host.ts";

const never = new AbortController().signal;

test("labels are read and patched, Events made, each call with the token of now", async () => {
  using node = createFakeHost();
  using api = createFakeApiServer();
  api.labels = { "kubernetes.io/os": "linux", "virtfn/old": "1" };
  const credentials = join(node.root, "serviceaccount");
  writeCredentials(credentials, "token-1");
  const cluster = await openCluster(node.host, { server: api.server, credentials, node: "n1" }, never);
  expect(await cluster.readLabels()).toEqual(api.labels);
  writeCredentials(credentials, "token-2");
  await cluster.patchLabels({ "virtfn/old": null, "virtfn/vfs": "7" });
  expect(api.labels).toEqual({ "kubernetes.io/os": "linux", "virtfn/vfs": "7" });
  await cluster.createEvent({
    type: "Warning",
    reason: "DevicesUnhealthy",
    message: "no link: 0000:3b:02.0",
  });
  expect(api.events).toMatchObject([
    {
      involvedObject: { kind: "Node", name: "n1", uid: "n1" },
      source: { component: "virtfn-deviceplugin", host: "n1" },
      firstTimestamp: "2026-01-01T00:00:00.000Z",
      type: "Warning",
      reason: "DevicesUnhealthy",
      message: "no link: 0000:3b:02.0",
    },
  ]);
  expect(api.calls).toEqual([
    "GET /api/v1/nodes/n1 Bearer token-1",
    "PATCH /api/v1/nodes/n1 application/merge-patch+json Bearer token-2",
    "POST /api/v1/namespaces/default/events application/json Bearer token-2",
  ]);
});

test("a refusal, a server that nobody vouches for, and one that is away are errors of ours", async () => {
  using node = createFakeHost();
  const api = createFakeApiServer();
  const credentials = join(node.root, "serviceaccount");
  writeCredentials(credentials, "token-1");
  const access = { server: api.server, credentials, node: "n1" };
  const cluster = await openCluster(node.host, access, never);
  api.refuses = 403;
  await expect(cluster.readLabels()).rejects.toMatchObject({
    code: "ERR_CLUSTER",
    status: 403,
    isFinal: true,
  });
  api.refuses = 503;
  await expect(cluster.readLabels()).rejects.toMatchObject({ status: 503, isFinal: false });
  api.refuses = undefined;
  const others = join(node.root, "others");
  writeCredentials(others, "token-1", "other-cert.pem");
  const stranger = await openCluster(node.host, { ...access, credentials: others }, never);
  await expect(stranger.readLabels()).rejects.toThrow(/^read node n1: .*certificate/);
  const unknown = await openCluster(node.host, { ...access, credentials: join(node.root, "nowhere") }, never);
  await expect(unknown.readLabels()).rejects.toThrow("there is no");
  expect(api.calls).toHaveLength(2);
  api[Symbol.dispose]();
  await expect(cluster.readLabels()).rejects.toMatchObject({ code: "ERR_CLUSTER", isFinal: false });
});

test("a request that hangs ends at the signal", async () => {
  using node = createFakeHost();
  using api = createFakeApiServer();
  const credentials = join(node.root, "serviceaccount");
  writeCredentials(credentials, "token-1");
  const stop = new AbortController();
  const access = { server: api.server, credentials, node: "n1" };
  const cluster = await openCluster(node.host, access, stop.signal);
  const asked = api.hang();
  const call = cluster.readLabels();
  await asked;
  const startMs = performance.now();
  stop.abort();
  await expect(call).rejects.toMatchObject({ code: "ERR_CLUSTER", isFinal: false });
  expect(performance.now() - startMs).toBeLessThan(1_000);
});

function at(environment: NodeJS.ProcessEnv): string {
  return findAccess(environment, "n1").server;
}

test("the API server is where the kubelet says", () => {
  expect(at({ KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "6443" })).toBe(
    "https://10.96.0.1:6443",
  );
  expect(at({ KUBERNETES_SERVICE_HOST: "fd00::1" })).toBe("https://[fd00::1]:443");
  expect(() => at({})).toThrow("no KUBERNETES_SERVICE_HOST");
});
