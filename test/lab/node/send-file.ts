// A file on its way into the guest: served once over TCP on the lab's side of the tap, which takes a second for 100 MB.
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer } from "node:net";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { LAB_NETWORK } from "../artifacts.ts";
import { inNetns } from "../cluster/network.ts";

export interface SendFileOptions {
  readonly netns: string;
  readonly file: string;
  /** Fetches the file from the address inside the guest; when it returns the file has been received. */
  receive(address: { readonly host: string; readonly port: number }): Promise<void>;
}

/** Serves `file` in the lab's namespace, by a process of its own (this one is outside it), while `receive` runs. */
export async function sendFile(options: SendFileOptions): Promise<void> {
  const [command, ...args] = inNetns(options.netns, process.execPath, [
    fileURLToPath(import.meta.url),
    options.file,
  ]);
  const server = execa(command, args, { stderr: "inherit" });
  try {
    const [firstOutput] = await Promise.race([once(server.stdout, "data"), server.then(() => ["0"])]);
    await options.receive({ host: LAB_NETWORK.apiAddress, port: Number(firstOutput) });
  } finally {
    server.kill("SIGKILL");
    await server.catch(() => {});
  }
}

async function serveOnce(file: string): Promise<void> {
  const server = createServer();
  server.listen(0, LAB_NETWORK.apiAddress);
  await once(server, "listening");
  const address = server.address();
  if (typeof address === "object" && address !== null) process.stdout.write(`${address.port}\n`);
  const [socket] = await once(server, "connection");
  await pipeline(createReadStream(file), socket);
}

if (import.meta.main) await serveOnce(process.argv[2] ?? "");
