// The API server, as far as the device plugin speaks to it: labels and Events of its own node. The client is loaded at the first use.
import { join } from "node:path";

import type { CoreV1Api, RequestContext } from "@kubernetes/client-node";

import type { Host } from "../host/host.ts";
import type { ClusterEvent } from "./cluster-events.ts";
import type { Labels } from "./cluster-labels.ts";
import { ClusterError } from "./errors.ts";

/** Where the API server is, and who asks. */
export interface ClusterAccess {
  /** "https://10.96.0.1:443". */
  readonly server: string;
  /** Folder with `token` and `ca.crt`, which the kubelet keeps fresh. */
  readonly credentials: string;
  readonly node: string;
}

export interface ClusterClient {
  readLabels(): Promise<Labels>;
  /** `null` removes a label. */
  patchLabels(changes: Readonly<Record<string, string | null>>): Promise<void>;
  createEvent(event: ClusterEvent): Promise<void>;
}

/** Where a pod finds the API server, by the environment that the kubelet gives each container. Throws ERR_CLUSTER. */
export function findAccess(environment: NodeJS.ProcessEnv, node: string): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: address, KUBERNETES_SERVICE_PORT: port = "443" } = environment;
  if (address === undefined) throw new ClusterError("find the API server", "no KUBERNETES_SERVICE_HOST");
  const host = address.includes(":") ? `[${address}]` : address;
  return { server: `https://${host}:${port}`, credentials, node };
}

/** Source: Kubernetes, "Accessing the Kubernetes API from a Pod". */
const credentials = "/var/run/secrets/kubernetes.io/serviceaccount";
const component = "virtfn-deviceplugin";
/** Nothing waits for the answer but the news behind it. */
const timeoutMs = 4_000;

/** Each call is one request, given up after 4 s and at `signal`. Throws ERR_CLUSTER, as each call does. */
export async function openCluster(
  host: Pick<Host, "files" | "clock">,
  { server, credentials, node }: ClusterAccess,
  signal: AbortSignal,
): Promise<ClusterClient> {
  const { core, mergePatch } = await loadClient(host, { server, credentials }, signal);
  return {
    readLabels: () =>
      ask(`read node ${node}`, async () => (await core.readNode({ name: node })).metadata?.labels ?? {}),
    patchLabels: (labels) =>
      ask(`label node ${node}`, async () => {
        await core.patchNode({ name: node, body: { metadata: { labels } } }, mergePatch);
      }),
    createEvent: (event) =>
      ask(`create an Event of node ${node}`, async () => {
        await core.createNamespacedEvent({ namespace: "default", body: makeEvent(host, node, event) });
      }),
  };
}

async function ask<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new ClusterError(doing, error, readStatus(error));
  }
}

/** The client's own error has the status as `code`; that of a system error is a word. */
function readStatus(error: unknown): number | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** `kubectl describe node` finds the Events of a node by its name in the place of a UID, in the namespace `default`. */
function makeEvent(host: Pick<Host, "clock">, node: string, { type, reason, message }: ClusterEvent) {
  const now = new Date(host.clock.nowMs());
  return {
    metadata: { generateName: "virtfn-" },
    involvedObject: { kind: "Node", name: node, uid: node },
    source: { component, host: node },
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
    type,
    reason,
    message,
  };
}

function readCredential({ files }: Pick<Host, "files">, path: string): string {
  const text = files.readText(path);
  if (text === undefined) throw new ClusterError("ask the API server", `there is no ${path}`);
  return text.trim();
}

async function loadClient(
  host: Pick<Host, "files">,
  { server, credentials }: Pick<ClusterAccess, "server" | "credentials">,
  signal: AbortSignal,
) {
  try {
    const client = await import("@kubernetes/client-node");
    const read = (name: string): string => readCredential(host, join(credentials, name));
    const login = {
      getName: () => "token",
      applySecurityAuthentication: (request: RequestContext) =>
        request.setHeaderParam("authorization", `Bearer ${read("token")}`),
    };
    const send = async (request: RequestContext) => {
      const answer = await fetch(request.getUrl(), {
        method: request.getHttpMethod(),
        headers: request.getHeaders(),
        body: (request.getBody() as string | undefined) ?? null,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        // The client's own way to say whom to trust is not heard by this runtime.
        tls: { ca: read("ca.crt") },
      });
      const body = {
        text: () => answer.text(),
        binary: async () => Buffer.from(await answer.arrayBuffer()),
        stream: () => answer.body,
      };
      return new client.ResponseContext(answer.status, Object.fromEntries(answer.headers), body);
    };
    const configuration = client.createConfiguration({
      baseServer: new client.ServerConfiguration(server, {}),
      authMethods: { default: login },
      httpApi: client.wrapHttpLibrary({ send }),
    });
    const core: CoreV1Api = new client.CoreV1Api(configuration);
    return {
      core,
      mergePatch: client.setHeaderOptions("Content-Type", client.PatchStrategy.MergePatch, configuration),
    };
  } catch (error) {
    throw new ClusterError("load the client of the API server", error);
  }
}
