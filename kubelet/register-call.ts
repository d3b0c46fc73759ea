// The classic way to the kubelet: one Register call on its kubelet.sock.
import { credentials, Metadata } from "@grpc/grpc-js";

import { RegistrationError } from "./errors.ts";
import { RegistrationClient } from "./gen/deviceplugin.ts";

/** The version of the device plugin API, as the kubelet spells it. */
export const apiVersion = "v1beta1";

/** Before it answers, the kubelet dials the plugin for up to 10 s and asks for its options within this deadline. */
const deadlineMs = 60_000;

/**
 * Tells the kubelet at `kubeletSocket` that the socket file `endpoint` beside it serves `resource`; the plugin must be
 * serving already. Throws ERR_REGISTRATION with the kubelet's text. Source: deviceplugin/v1beta1/api.proto.
 */
export async function callRegister(
  kubeletSocket: string,
  resource: string,
  endpoint: string,
  signal: AbortSignal,
): Promise<void> {
  const client = new RegistrationClient(`unix://${kubeletSocket}`, credentials.createInsecure());
  const request = { version: apiVersion, endpoint, resourceName: resource, options: undefined };
  const options = { deadline: Date.now() + deadlineMs };
  try {
    await new Promise<void>((resolve, reject) => {
      const call = client.register(request, new Metadata(), options, (error) => {
        signal.removeEventListener("abort", cancel);
        if (error === null) resolve();
        else reject(new RegistrationError(resource, kubeletSocket, error.message, { cause: error }));
      });
      function cancel(): void {
        call.cancel();
      }
      signal.addEventListener("abort", cancel, { once: true });
    });
  } finally {
    client.close();
  }
}
