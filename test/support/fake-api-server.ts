// An API server as far as the device plugin speaks to it: one node with labels, and the Events that were made.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const tls = join(import.meta.dirname, "../fixtures/tls");

export interface FakeApiServer extends Disposable {
  /** "https://127.0.0.1:PORT". */
  readonly server: string;
  /** Of the node. */
  labels: Record<string, string>;
  readonly events: Record<string, unknown>[];
  /** "PATCH /api/v1/nodes/n1 application/merge-patch+json Bearer token-1". */
  readonly calls: string[];
  /** What is answered instead: 403, 503. */
  refuses: number | undefined;
  /** From now on nothing is answered; ends when the next request is there. */
  hang(): Promise<void>;
}

/** Serves on a free port, with a certificate that only its own `ca.crt` vouches for. */
export function createFakeApiServer(): FakeApiServer {
  const state: Pick<FakeApiServer, "labels" | "events" | "calls" | "refuses"> = {
    labels: {},
    events: [],
    calls: [],
    refuses: undefined,
  };
  let onHang: (() => void) | undefined;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { key: readPem("key.pem"), cert: readPem("cert.pem") },
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      const [type, login] = [request.headers.get("content-type"), request.headers.get("authorization")];
      state.calls.push([request.method, pathname, type, login].filter(Boolean).join(" "));
      if (onHang !== undefined) {
        onHang();
        return new Promise<never>(() => {});
      }
      if (state.refuses !== undefined)
        return Response.json({ kind: "Status", message: "no" }, { status: state.refuses });
      const body = (await request.json().catch(() => ({}))) as Record<string, unknown>;
      if (request.method === "POST") state.events.push(body);
      if (request.method === "PATCH") patchLabels(state, body);
      return Response.json({
        kind: "Node",
        apiVersion: "v1",
        metadata: { name: "n1", labels: state.labels },
      });
    },
  });
  return Object.assign(state, {
    server: `https://127.0.0.1:${server.port}`,
    hang: () => new Promise<void>((resolve) => void (onHang = resolve)),
    [Symbol.dispose]: () => void server.stop(true),
  });
}

function readPem(name: string): string {
  return readFileSync(join(tls, name), "utf8");
}

/** What the kubelet mounts into a container: `token` and `ca.crt`. */
export function writeCredentials(folder: string, token: string, ca = "cert.pem"): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "token"), `${token}\n`);
  writeFileSync(join(folder, "ca.crt"), readPem(ca));
}

function patchLabels(state: Pick<FakeApiServer, "labels">, body: Record<string, unknown>): void {
  const { labels } = body["metadata"] as { labels: Record<string, string | null> };
  const merged = Object.entries({ ...state.labels, ...labels });
  state.labels = Object.fromEntries(merged.filter(([, value]) => value !== null)) as Record<string, string>;
}
