// A daemon's HTTP endpoint: /healthz, /readyz that says why not, /metrics. A taken port is an error line, never an exit.
import { HostError } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Log } from "./log.ts";

export interface ListenAddress {
  /** An address of the node, or "0.0.0.0" or "::". */
  readonly hostname: string;
  readonly port: number;
}

/** What the endpoint tells. */
export interface HealthSources {
  /** `undefined` when ready, else the reason, which becomes the body of /readyz. */
  readonly whyNotReady: () => string | undefined;
  /** What the body of /readyz tells besides, ready or not, a line each. */
  readonly notes?: () => readonly string[];
  /** The metrics of the daemon's own registry (a prom-client Registry fits). */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
}

/** A listen address that is none. */
export class ListenAddressError extends HostError {
  readonly code = "ERR_LISTEN_ADDRESS";

  constructor(text: string) {
    super(`--listen: expected ADDRESS:PORT, :PORT or off, got ${JSON.stringify(text)}`);
  }
}

/** How often a taken port is tried again. */
const retryMs = 10_000;

/** Parses "10.0.0.5:9810", "[::1]:9810", ":9810" (all IPv4 addresses) and "off" (`undefined`). Throws ERR_LISTEN_ADDRESS. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text === "off") return undefined;
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]]*)):(?<port>\d{1,5})$/u.exec(text);
  const port = Number(match?.groups?.["port"] ?? "-1");
  if (match === null || port < 0 || port > 65_535) throw new ListenAddressError(text);
  const name = match.groups?.["v6"] ?? match.groups?.["name"] ?? "";
  return { hostname: name === "" ? "0.0.0.0" : name, port };
}

/** Serves until disposed; while the address is taken or missing it says so once and tries again every 10 s. */
export function serveHealth(
  host: Pick<Host, "clock">,
  listen: ListenAddress,
  sources: HealthSources,
  log: Log,
): Disposable {
  const stop = new AbortController();
  const say = (error: unknown): void => log.error({ error, listen }, "cannot serve health and metrics");
  let server = tryServe(listen, sources, log, say);
  if (server === undefined) {
    void retry(host, stop.signal, () => {
      server = tryServe(listen, sources, log, () => {});
      if (server !== undefined) log.info({ listen }, "serving health and metrics");
      return server !== undefined;
    });
  }
  return {
    [Symbol.dispose]() {
      stop.abort();
      void server?.stop(true);
    },
  };
}

function tryServe(
  listen: ListenAddress,
  sources: HealthSources,
  log: Log,
  onRefused: (error: unknown) => void,
): Bun.Server<undefined> | undefined {
  try {
    return Bun.serve({
      ...listen,
      // Otherwise a failure is answered with a page of our source text.
      development: false,
      fetch: (request) => answer(new URL(request.url).pathname, sources),
      error: (error) => {
        log.error({ error }, "cannot answer a request");
        return new Response("internal error, see the log\n", { status: 500 });
      },
    });
  } catch (error) {
    onRefused(error);
    return undefined;
  }
}

async function answer(path: string, sources: HealthSources): Promise<Response> {
  switch (path) {
    case "/healthz": {
      return new Response("ok\n");
    }
    case "/readyz": {
      const reason = sources.whyNotReady();
      const notes = (sources.notes?.() ?? []).map((note) => `${note}\n`).join("");
      return reason === undefined
        ? new Response(`ok\n${notes}`)
        : new Response(`not ready: ${reason}\n${notes}`, { status: 503 });
    }
    case "/metrics": {
      const text = await sources.metrics.metrics();
      return new Response(text, { headers: { "content-type": sources.metrics.contentType } });
    }
    default: {
      return new Response("not found: try /healthz, /readyz or /metrics\n", { status: 404 });
    }
  }
}

async function retry(host: Pick<Host, "clock">, signal: AbortSignal, attempt: () => boolean): Promise<void> {
  try {
    do await host.clock.sleep(retryMs, signal);
    while (!attempt());
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
