// Names and addresses that the bench gives. Everything with such a name is the bench's and is removed by it.

/** The node under test. */
export const bridgeName = "vbench-br";
/** Interface of every namespace. */
export const insideName = "vb0";
/** Namespace of the client with role `both`. */
export const peerNamespace = "vbench-peer";
/** The pair that stands in for NIC and wire where there is none. */
export const standInPf = "vbench-pf";
export const standInPeer = "vbench-wire";
/** Below /run: the number of the irqbalance that the bench runs itself. */
export const irqbalancePidFile = "vbench-irqbalance.pid";
/** All is in one network of the range for benchmarks. Source: RFC 2544, appendix C.2.2. */
export const prefixLength = 15;

/** Of the node under test. */
export const mostNamespaces = 64;

export function namespaceName(at: number): string {
  return `vbench-${at}`;
}

export function hostSideName(at: number): string {
  return `vbench-h${at}`;
}

/** Address of a namespace of the node under test; with the variant `host`, one of the addresses of its interface. */
export function serverAddress(at: number): string {
  return `198.18.0.${at + 1}`;
}

export function clientAddress(at: number): string {
  return `198.18.1.${at + 1}`;
}

/** Every name that a run may leave behind when it is killed, however many namespaces it had. */
export function allNames(): {
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
} {
  const numbers = Array.from({ length: mostNamespaces }, (_, at) => at);
  return {
    namespaces: [...numbers.map(namespaceName), peerNamespace],
    links: [...numbers.map(hostSideName), bridgeName, standInPf, standInPeer],
  };
}
