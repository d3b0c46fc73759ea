// A real gRPC server in the place of the kubelet's PodResources API.

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

import { PodResourcesListerService, type PodResourcesListerServer } from "../../kubelet/gen/podresources.ts";

/** Serves at `socket` until disposed. */
export async function servePodResources(
  socket: string,
  implementation: PodResourcesListerServer,
): Promise<Disposable> {
  mkdirSync(dirname(socket), { recursive: true });
  const server = new Server();
  server.addService(PodResourcesListerService, implementation);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return { [Symbol.dispose]: () => server.forceShutdown() };
}
