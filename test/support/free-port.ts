// A TCP port that nobody has now.

/** On 127.0.0.1; somebody else may take it meanwhile. */
export async function findFreePort(): Promise<number> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  const port = Number(server.port);
  await server.stop(true);
  return port;
}
