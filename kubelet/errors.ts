// Errors of the kubelet's interfaces: its checkpoint file, its PodResources API and its plugin registration.
import { HostError } from "../host/errors.ts";

/** The kubelet's device checkpoint is there but cannot be understood (empty after a power cut, cut off, another format). */
export class CheckpointError extends HostError {
  readonly code = "ERR_CHECKPOINT";

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`reading the kubelet's device checkpoint ${path}: ${problem}`, options);
  }
}

/** The PodResources API did not answer, or answered with an error; the cause is the gRPC error. */
export class PodResourcesError extends HostError {
  readonly code = "ERR_POD_RESOURCES";

  constructor(method: string, socket: string, problem: string, options?: ErrorOptions) {
    super(`asking the kubelet's PodResources API at ${socket} for ${method}: ${problem}`, options);
  }
}

/** The kubelet does not take the plugin: refused the registration, could not be reached or did not answer in time. */
export class RegistrationError extends HostError {
  readonly code = "ERR_REGISTRATION";

  constructor(resource: string, where: string, problem: string, options?: ErrorOptions) {
    super(`registering ${resource} with the kubelet through ${where}: ${problem}`, options);
  }
}

/** The plugin's own socket cannot be bound, or the kubelet could not dial it. */
export class PluginSocketError extends HostError {
  readonly code = "ERR_PLUGIN_SOCKET";

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`serving the plugin's socket ${path}: ${problem}`, options);
  }
}
