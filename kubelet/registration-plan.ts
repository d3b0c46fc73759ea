// What to do next to be registered with the kubelet: a decision on plain data, for both ways of registering.

/** Through plugins_registry/ the kubelet comes to us; through device-plugins/ we call Register. */
export type RegistrationWay = "plugins_registry" | "device-plugins";

/** Everything the decision needs. Times are monotonic milliseconds. */
export interface RegistrationState {
  readonly way: RegistrationWay;
  /** When our socket was bound. */
  readonly boundAtMs: number;
  /** Our socket file is still the one we bound (a starting kubelet unlinks it). */
  readonly isSocketInPlace: boolean;
  /** ListAndWatch streams that the kubelet holds now. */
  readonly openStreams: number;
  /** When the last of them ended, on this binding. */
  readonly streamEndedAtMs: number | undefined;
  /** When the kubelet last called anything, on this binding. */
  readonly contactAtMs: number | undefined;
  /** Bindings and calls since the last stream that did not lead to one. */
  readonly failures: number;
  /** Identity of kubelet.sock now (changes at every kubelet start); `undefined` when it is missing. device-plugins only, as the rest. */
  readonly kubelet: string | undefined;
  /** The kubelet that we last called, and when that call ended. */
  readonly called:
    | { readonly kubelet: string; readonly atMs: number; readonly isAccepted: boolean }
    | undefined;
}

export type RegistrationStep =
  /** Close the server and all its streams, then bind anew: what the kubelet holds of us is of no use. */
  | { readonly step: "bind"; readonly reason: string }
  | { readonly step: "register" }
  /** Nothing to do until something changes, but look again after `ms`. */
  | { readonly step: "wait"; readonly ms: number; readonly reason: string };

/** inotify can lose events: everything is looked at again this often. */
const pollMs = 30_000;
/** A kubelet that drops a stream to take us anew is back within its reconcile period of 1 s. */
const lostStreamMs = 1_200;
/** The kubelet dials for at most 10 s before it opens the stream. */
const contactMs = 12_000;
const firstRetryMs = 250;
const lastRetryMs = 30_000;

/**
 * The next step. Never registers while a stream is open: kubelets up to 1.36 then drop the new connection when the old
 * stream ends, so a binding whose streams ended is given up and made anew (kubernetes PR 135437).
 */
export function planRegistration(state: RegistrationState, nowMs: number): RegistrationStep {
  if (!state.isSocketInPlace) return { step: "bind", reason: "the socket was removed" };
  return state.way === "plugins_registry" ? planWatched(state, nowMs) : planCalled(state, nowMs);
}

/** How long to wait before the next attempt after `failures` of them in a row. */
export function backOffMs(failures: number): number {
  return Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures, 10));
}

function planWatched(state: RegistrationState, nowMs: number): RegistrationStep {
  if (state.openStreams > 0) return { step: "wait", ms: pollMs, reason: "registered" };
  const contactAtMs = state.contactAtMs ?? state.boundAtMs;
  const isLost = state.streamEndedAtMs !== undefined && state.streamEndedAtMs >= contactAtMs;
  const since = isLost ? state.streamEndedAtMs : contactAtMs;
  const patienceMs = Math.max(isLost ? lostStreamMs : contactMs, backOffMs(state.failures));
  const leftMs = since + patienceMs - nowMs;
  if (leftMs > 0) return { step: "wait", ms: leftMs, reason: "waiting for the kubelet to find the socket" };
  return { step: "bind", reason: isLost ? "the kubelet dropped the stream" : "the kubelet did not come" };
}

function planCalled(state: RegistrationState, nowMs: number): RegistrationStep {
  const { called, kubelet } = state;
  if (kubelet === undefined) return { step: "wait", ms: pollMs, reason: "waiting for the kubelet's socket" };
  if (called?.kubelet !== kubelet) {
    return state.openStreams > 0 || called?.isAccepted === true
      ? { step: "bind", reason: "the kubelet was restarted" }
      : { step: "register" };
  }
  if (!called.isAccepted) {
    const leftMs = called.atMs + backOffMs(state.failures) - nowMs;
    return leftMs > 0
      ? { step: "wait", ms: leftMs, reason: "the kubelet refused the registration" }
      : { step: "register" };
  }
  if (state.openStreams > 0) return { step: "wait", ms: pollMs, reason: "registered" };
  const patienceMs = state.streamEndedAtMs === undefined ? contactMs : lostStreamMs;
  const leftMs =
    (state.streamEndedAtMs ?? called.atMs) + Math.max(patienceMs, backOffMs(state.failures)) - nowMs;
  if (leftMs > 0) return { step: "wait", ms: leftMs, reason: "waiting for the kubelet's stream" };
  return { step: "bind", reason: "the kubelet holds no stream" };
}
