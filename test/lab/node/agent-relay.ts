// Lets other processes use the agent of a running lab: QEMU's end of the port takes one client only, the lab's own.
import { createServer, type Socket } from "node:net";
import { type Agent, AgentTimeoutError } from "./agent.ts";
import { type AgentRequest, formatAgentAnswer, parseAgentRequest } from "./agent-line.ts";
import { readLines } from "./line-socket.ts";

/** Serves the agent's own protocol on the unix socket `path` to any number of clients until disposed. */
export async function startAgentRelay(agent: Agent, path: string): Promise<AsyncDisposable> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    client.on("error", () => client.destroy());
    readLines(client, (line) => {
      const request = parseAgentRequest(line);
      if (request !== undefined) void pass(agent, request, client);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(agent: Agent, request: AgentRequest, client: Socket): Promise<void> {
  try {
    const result = await agent.exec(request.script, { timeoutMs: request.timeoutMs });
    if (!client.destroyed) client.write(`${formatAgentAnswer({ id: request.id, ...result })}\n`);
  } catch (error) {
    // No answer in time (the guest boots) is for the client's own time-out to tell; only a lost agent ends the connection.
    if (!(error instanceof AgentTimeoutError)) client.destroy();
  }
}
