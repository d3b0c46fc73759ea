// The command line of `npm run bench:network`.

import { parseArgs } from "node:util";

import { parseServerAddress, type ServerAddress } from "./server-address.ts";
import { isTestName, netperfTests, testForms, type TestName } from "./test-name.ts";
import { mostNamespaces } from "./layout.ts";
import { isVariant, type Variant, variantNames } from "./variant.ts";

export type Mode = "host" | "lab";
export type Role = "server" | "client" | "both";

export interface BenchOptions {
  readonly mode: Mode;
  /** `server` is the node under test, `client` a machine that makes the load; `both` on one machine shows function only. */
  readonly role: Role;
  /** Where the node under test listens; the first that answers is taken. */
  readonly servers: readonly ServerAddress[];
  /** Interface under test; for a client the one that faces it. `undefined` with role `both`: a veth pair of our own. */
  readonly pf: string | undefined;
  /** The interface wired to `pf` that becomes the client's, with role `both`. */
  readonly peer: string | undefined;
  readonly namespaces: number;
  /** netperf processes for each namespace. */
  readonly processes: number;
  readonly tests: readonly TestName[];
  readonly variants: readonly Variant[];
  /** What the others are compared with. */
  readonly baseline: Variant;
  readonly rounds: number;
  /** Length of the common window; the load starts `warmUpSeconds` before it. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** How many client machines the node under test waits for. */
  readonly clients: number;
  readonly port: number;
  readonly seed: number;
  readonly isJson: boolean;
  readonly out: string;
}

/** A command line that can't be understood. */
class BenchUsageError extends Error {
  constructor(problem: string) {
    super(`bench:network: ${problem}; see \`npm run bench:network -- --help\``);
  }
}

/** What `--help` prints. */
export const usage = `npm run bench:network -- OPTIONS: what pods' traffic costs by kind of interface, as docs/benchmark.md tells

  --mode host|lab         this machine's NIC (default), or two emulated nodes wired together: function only
  --role server|client|both
                          server: the node under test; client: a machine that makes the load; both: one machine, function
                          only (default)
  --server ADDRESS[:PORT]...
                          for a client: where the node under test listens, an IPv6 address before a port in []; several
                          are tried in turn
  --clients N             for the server: client machines to wait for (default 1), not more than namespaces
  --port PORT             for the server: where it listens (default 7715)
  --pf NAME               interface under test; for a client the one that faces it. Needed unless role is both: then a veth
                          pair stands in for NIC and wire
  --peer NAME             role both: the interface wired to --pf, which becomes the client's
  --namespaces N          namespaces on the node under test (default 6, lab 2)
  --processes N           netperf processes for each of them (default 200, lab 2)
  --tests LIST            of ${netperfTests.join(",")} (default these), UNDER_LOAD_N: sockperf, N messages a second to
                          each namespace, whether they are answered or not; several of it are a sweep
  --variants LIST         of ${variantNames.slice(0, 6).join(",")},
                          ${variantNames.slice(6).join(",")}
                          (default host,veth-bridge,sriov-untuned,sriov-numa-spread); one whose policy falls back is
                          left out with the reason, as those that go by a pod's CPUs always are
  --baseline VARIANT      what the others are compared with (default veth-bridge, else the first)
  --rounds N              each round runs every variant and test once (default 10, lab 2)
  --seconds N             length of the window that counts (default 30, lab 5)
  --warm-up N             seconds of load before it (default 5)
  --seed N                of the order of variants (default 1)
  --out DIR               where runs.jsonl, runs.csv, results.json and report.html go (default ./bench-network)
  --json                  print results.json on stdout
  --help                  this text
`;

const flags = {
  mode: { type: "string", default: "host" },
  role: { type: "string", default: "both" },
  server: { type: "string", multiple: true },
  clients: { type: "string", default: "1" },
  port: { type: "string", default: "7715" },
  pf: { type: "string" },
  peer: { type: "string" },
  namespaces: { type: "string" },
  processes: { type: "string" },
  tests: { type: "string", default: netperfTests.join(",") },
  variants: { type: "string", default: "host,veth-bridge,sriov-untuned,sriov-numa-spread" },
  baseline: { type: "string" },
  rounds: { type: "string" },
  seconds: { type: "string" },
  "warm-up": { type: "string", default: "5" },
  seed: { type: "string", default: "1" },
  out: { type: "string", default: "bench-network" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** The article's numbers on hardware; in emulation as few as show that it works. */
const scales = {
  host: { namespaces: "6", processes: "200", rounds: "10", seconds: "30" },
  lab: { namespaces: "2", processes: "2", rounds: "2", seconds: "5" },
} as const;

/** Parses `argv`; "help" when it asks for the usage. Throws BenchUsageError that names the first problem. */
export function parseBenchOptions(argv: readonly string[]): BenchOptions | "help" {
  const { values, positionals } = parse(argv);
  if (values.help) return "help";
  const role = oneOf("--role", values.role, ["server", "client", "both"] as const);
  const mode = oneOf("--mode", values.mode, ["host", "lab"] as const);
  const servers = [...(values.server ?? []), ...positionals];
  // `--server A B`: what follows the first address is a positional.
  if (positionals.length > 0 && values.server === undefined)
    throw new BenchUsageError(`unexpected "${positionals[0]}"`);
  if (role === "client" && servers.length === 0) throw new BenchUsageError("--role client needs --server");
  if (role !== "client" && servers.length > 0)
    throw new BenchUsageError(`--server is for --role client, got --role ${role}`);
  if (role !== "both" && values.pf === undefined) throw new BenchUsageError(`--role ${role} needs --pf`);
  if (role !== "both" && values.peer !== undefined)
    throw new BenchUsageError(`--peer is for --role both, got --role ${role}`);
  if (mode === "lab" && (role !== "both" || values.pf !== undefined || values.peer !== undefined))
    throw new BenchUsageError("--mode lab brings its own NICs and both roles: no --role, --pf, --peer");
  if (values.pf !== undefined && values.pf === values.peer)
    throw new BenchUsageError(`--peer: expected another interface than --pf, got "${values.peer}"`);
  if (mode === "host" && role === "both" && (values.pf === undefined) !== (values.peer === undefined))
    throw new BenchUsageError("--role both needs --pf and --peer, or neither");
  for (const [flag, name] of Object.entries({ "--pf": values.pf, "--peer": values.peer }))
    if (name !== undefined && !/^[^\s/]{1,15}$/.test(name))
      throw new BenchUsageError(`${flag}: expected the name of an interface, got "${name}"`);
  const variants = listOf("--variants", values.variants, isVariant, variantNames);
  const scale = scales[mode];
  const namespaces = wholeNumber("--namespaces", values.namespaces ?? scale.namespaces, 1, mostNamespaces);
  return {
    mode,
    role,
    servers: servers.map(parseServer),
    pf: values.pf,
    peer: values.peer,
    variants,
    baseline: parseBaseline(values.baseline, variants),
    tests: listOf("--tests", values.tests, isTestName, testForms),
    clients: wholeNumber("--clients", values.clients, 1, namespaces),
    port: wholeNumber("--port", values.port, 0, 65_535),
    namespaces,
    processes: wholeNumber("--processes", values.processes ?? scale.processes, 1, 2_000),
    rounds: wholeNumber("--rounds", values.rounds ?? scale.rounds, 1, 1_000),
    seconds: wholeNumber("--seconds", values.seconds ?? scale.seconds, 1, 3_600),
    warmUpSeconds: wholeNumber("--warm-up", values["warm-up"], 1, 600),
    seed: wholeNumber("--seed", values.seed, 0, 2 ** 32 - 1),
    out: values.out,
    isJson: values.json,
  };
}

function parseServer(text: string): ServerAddress {
  const server = parseServerAddress(text);
  if (server !== undefined) return server;
  throw new BenchUsageError(
    `--server: expected ADDRESS or ADDRESS:PORT, IPv6 before a port in [], got "${text}"`,
  );
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, strict: true, allowPositionals: true });
  } catch (cause) {
    throw new BenchUsageError(cause instanceof Error ? cause.message : String(cause));
  }
}

function parseBaseline(text: string | undefined, variants: readonly Variant[]): Variant {
  const wanted = text ?? (variants.includes("veth-bridge") ? "veth-bridge" : variants[0]);
  const found = variants.find((variant) => variant === wanted);
  if (found !== undefined) return found;
  throw new BenchUsageError(
    `--baseline: expected one of --variants (${variants.join(",")}), got "${wanted}"`,
  );
}

function oneOf<T extends string>(flag: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new BenchUsageError(`${flag}: expected one of ${known.join(", ")}, got "${text}"`);
}

function listOf<T extends string>(
  flag: string,
  text: string,
  isKnown: (one: string) => one is T,
  known: readonly string[],
): readonly T[] {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !isKnown(name));
  if (wrong !== undefined)
    throw new BenchUsageError(`${flag}: expected names of ${known.join(",")}, got "${wrong}"`);
  if (new Set(names).size < names.length)
    throw new BenchUsageError(`${flag}: a name is there twice: ${text}`);
  return names.filter(isKnown);
}

function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new BenchUsageError(`${flag}: expected a whole number from ${min} to ${max}, got "${text}"`);
}
