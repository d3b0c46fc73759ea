// The agent's client and its relay, against a guest played by a unix socket.
import { createServer, type Socket } from "node:net";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Agent, AgentTimeoutError } from "../../../lab/node/agent.ts";
import { type AgentRequest, formatAgentAnswer, parseAgentRequest } from "../../../lab/node/agent-line.ts";
import { startAgentRelay } from "../../../lab/node/agent-relay.ts";
import { readLines } from "../../../lab/node/line-socket.ts";

test("answers in another order reach the script they belong to", async () => {
  const waiting: AgentRequest[] = [];
  const path = await startGuest((request, socket) => {
    waiting.push(request);
    if (waiting.length === 3)
      for (const one of waiting.toReversed()) answer(socket, one.id, `did ${one.script}`);
  });
  using agent = await Agent.connect(path);
  const results = await Promise.all(["a", "b", "c"].map((script) => agent.exec(script)));
  expect(results.map((result) => result.stdout)).toEqual(["did a", "did b", "did c"]);
});

test("an answer that comes after its time-out is not taken for that of the next script", async () => {
  const late: string[] = [];
  const path = await startGuest((request, socket) => {
    if (request.script === "slow") late.push(request.id);
    else for (const id of [...late, request.id]) answer(socket, id, id === request.id ? "mine" : "late");
  });
  using agent = await Agent.connect(path);
  await expect(agent.exec("slow", { timeoutMs: 20 })).rejects.toThrow(AgentTimeoutError);
  expect((await agent.exec("quick")).stdout).toBe("mine");
});

test("a half line left by a guest that was reset harms no answer", async () => {
  const path = await startGuest((request, socket) => {
    socket.write("0 0 aGFs\n\n");
    answer(socket, request.id, "whole");
  });
  using agent = await Agent.connect(path);
  expect((await agent.exec("true")).stdout).toBe("whole");
});

test("a guest that goes away ends what waits for it, and what comes after", async () => {
  const path = await startGuest((_, socket) => socket.destroy());
  using agent = await Agent.connect(path);
  await expect(agent.exec("true")).rejects.toThrow(/closed/);
  await expect(agent.exec("true")).rejects.toThrow(/closed/);
});

test("a client of the relay outlives a guest that gives no answer for a while, as when it boots", async () => {
  let isUp = false;
  const path = await startGuest((request, socket) => isUp && answer(socket, request.id, "up"));
  using own = await Agent.connect(path);
  const relayPath = `${path}.relay`;
  await using _ = await startAgentRelay(own, relayPath);
  using client = await Agent.connect(relayPath);
  await expect(client.exec("true", { timeoutMs: 20 })).rejects.toThrow(AgentTimeoutError);
  // The relay's own time-out is over too once a second one, begun later, is.
  await expect(own.exec("true", { timeoutMs: 20 })).rejects.toThrow(AgentTimeoutError);
  isUp = true;
  expect((await client.exec("true")).stdout).toBe("up");
});

test("several clients use the one connection to the guest through the relay", async () => {
  const path = await startGuest((request, socket) => answer(socket, request.id, `did ${request.script}`, 4));
  using own = await Agent.connect(path);
  const relayPath = `${path}.relay`;
  await using _ = await startAgentRelay(own, relayPath);
  using first = await Agent.connect(relayPath);
  using second = await Agent.connect(relayPath);
  const results = await Promise.all([first.exec("a"), second.exec("b"), own.exec("c")]);
  expect(results).toEqual(["did a", "did b", "did c"].map((stdout) => ({ exitCode: 4, stdout, stderr: "" })));
});

async function startGuest(onRequest: (request: AgentRequest, socket: Socket) => unknown): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), "agent-")), "lab");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    readLines(socket, (line) => {
      const request = parseAgentRequest(line);
      if (request !== undefined) onRequest(request, socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

function answer(socket: Socket, id: string, stdout: string, exitCode = 0): void {
  socket.write(`${formatAgentAnswer({ id, exitCode, stdout, stderr: "" })}\n`);
}
