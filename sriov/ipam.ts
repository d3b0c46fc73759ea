// IPAM delegates: other CNI plugins that hand out addresses. Run with the CNI environment, their answer parsed once.

import * as v from "valibot";

import type { Host } from "../host/host.ts";
import type { Attachment, IpamLease } from "./attachment.ts";
import { makeOnce } from "./make-once.ts";
import { resolveInRoot } from "./root-path.ts";
import { IpamError } from "./vf-errors.ts";

/** What a delegate is called for; `netns` is "" where the namespace is gone. */
export interface IpamCall {
  readonly lease: IpamLease;
  readonly containerId: string;
  readonly netns: string;
}

/** A delegate's answer. Addresses are in CIDR form. Source: CNI spec 1.0.0, "Delegated plugins (IPAM)". */
export interface IpamResult {
  readonly ips: readonly { readonly address: string; readonly gateway?: string | undefined }[];
  readonly routes: readonly IpamRoute[];
  readonly dns: object | undefined;
}

export interface IpamRoute {
  readonly dst: string;
  readonly gw?: string | undefined;
  readonly mtu?: number | undefined;
  readonly advmss?: number | undefined;
  readonly priority?: number | undefined;
  readonly table?: number | undefined;
  readonly scope?: number | undefined;
}

type IpamHost = Pick<Host, "files" | "paths" | "exec">;

const timeoutMs = 60_000;
const answer = makeOnce(() => {
  const count = v.pipe(v.number(), v.integer(), v.minValue(0));
  // Go leaves an empty IP out, and reads null and "" as one.
  const text = v.pipe(
    v.nullish(v.string()),
    v.transform((value) => (value === null || value === "" ? undefined : value)),
  );
  const texts = v.nullish(v.array(v.string()));
  // Handed on as it is, with what else is in it: whoever reads the result has to understand what the specification names.
  const dns = v.looseObject({
    nameservers: texts,
    domain: v.nullish(v.string()),
    search: texts,
    options: texts,
  });

  return v.object({
    ips: v.nullish(v.array(v.object({ address: v.string(), gateway: text }))),
    routes: v.nullish(
      v.array(
        v.object({
          dst: v.string(),
          gw: text,
          mtu: v.optional(count),
          advmss: v.optional(count),
          priority: v.optional(count),
          table: v.optional(count),
          scope: v.optional(count),
        }),
      ),
    ),
    dns: v.nullish(dns),
  });
});

const errorAnswer = makeOnce(() =>
  v.object({ code: v.number(), msg: v.string(), details: v.optional(v.string()) }),
);

/** Asks the delegate for addresses, of which there is one at least, as with the reference plugins. Throws ERR_IPAM with the delegate's own message. */
export async function addIpam(host: IpamHost, call: IpamCall): Promise<IpamResult> {
  const stdout = await runDelegate(host, "ADD", call);
  const parsed = v.safeParse(answer(), parseJson(stdout));
  if (!parsed.success)
    throw new IpamError(
      doing("ADD", call),
      `expected a CNI result, got ${JSON.stringify(stdout.slice(0, 200))}`,
    );
  const { ips, routes, dns } = parsed.output;
  if (ips === null || ips === undefined || ips.length === 0)
    throw new IpamError(doing("ADD", call), "expected an address, got none");
  return { ips, routes: routes ?? [], dns: dns ?? undefined };
}

/** Gives the addresses back; without any there is nothing to do and no error. Throws ERR_IPAM. */
export async function releaseIpam(host: IpamHost, call: IpamCall): Promise<void> {
  await runDelegate(host, "DEL", call);
}

/** Asks the delegate whether the addresses are still given, as it sees it; `prevResult` is in the lease's configuration. Throws ERR_IPAM. */
export async function checkIpam(host: IpamHost, call: IpamCall): Promise<void> {
  await runDelegate(host, "CHECK", call);
}

/**
 * Tells the delegate which attachments are valid; it frees the others of its network. Many delegates have no GC (host-local):
 * nothing to do there. Throws ERR_IPAM. Source: CNI spec 1.1.0, "GC" and "Delegated plugins".
 */
export async function collectIpam(host: IpamHost, lease: IpamLease): Promise<void> {
  await runForNetwork(host, "GC", lease);
}

/** Asks the delegate whether it could hand out addresses now; one without STATUS says yes. Throws ERR_IPAM. */
export async function askIpamStatus(host: IpamHost, lease: IpamLease): Promise<void> {
  await runForNetwork(host, "STATUS", lease);
}

/** The call that releases a record's addresses; `undefined` when it has none. */
export function ipamCallOf(record: Pick<Attachment, "ipam" | "owner">, netns: string): IpamCall | undefined {
  const { ipam, owner } = record;
  return ipam === undefined ? undefined : { lease: ipam, containerId: owner.containerId, netns };
}

/** Whether the delegate hands out and takes back addresses by its files alone. Any other may work through the interface: dhcp sends by it. */
export function needsNoInterface({ type }: Pick<IpamLease, "type">): boolean {
  return type === "host-local" || type === "static";
}

/** Path of the delegate's executable, as the host has it, looked for in the folders of CNI_PATH. Throws ERR_IPAM when there is none. */
export function findDelegate(host: Pick<Host, "files" | "paths">, lease: IpamLease): string {
  const found = lease.path
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => `${folder}/${lease.type}`)
    .find((file) => isFile(host, file));
  if (found !== undefined) return found;
  const expected = `expected an executable ${lease.type} in one of CNI_PATH's folders`;
  throw new IpamError(
    `looking for the IPAM delegate of ${lease.interface || "the network"}`,
    `${expected}, got "${lease.path}"`,
  );
}

// In another root a link must not lead to ours.
function isFile({ files, paths }: Pick<Host, "files" | "paths">, file: string): boolean {
  const root = paths.programRoot;
  const seen = root === "/" ? file : `${root}${resolveInRoot(files, root, file) ?? file}`;
  return files.stat(seen)?.kind === "file";
}

// Delegates from before CNI 1.1.0 answer that they do not know the version (1) or the verb (4).
const unknownVerb: ReadonlySet<number | undefined> = new Set([1, 4]);

async function runForNetwork(host: IpamHost, command: "GC" | "STATUS", lease: IpamLease): Promise<void> {
  try {
    await runDelegate(host, command, { lease, containerId: "", netns: "" });
  } catch (error) {
    if (!(error instanceof IpamError && unknownVerb.has(error.delegateCode))) throw error;
  }
}

type Verb = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";

async function runDelegate(host: IpamHost, command: Verb, call: IpamCall): Promise<string> {
  const { lease, containerId, netns } = call;
  const result = await host.exec.run({
    command: findDelegate(host, lease),
    args: [],
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: netns,
      CNI_IFNAME: lease.interface,
      CNI_ARGS: lease.args,
      CNI_PATH: lease.path,
    },
    stdin: lease.config,
    timeoutMs,
  });
  if (result.exitCode === 0) return result.stdout;
  const parsed = v.safeParse(errorAnswer(), parseJson(result.stdout));
  if (!parsed.success) {
    const said = (result.stdout.trim() || result.stderr.trim()).slice(0, 500);
    throw new IpamError(doing(command, call), `exit code ${result.exitCode}: ${said}`);
  }
  const { msg, details, code } = parsed.output;
  throw new IpamError(doing(command, call), details === undefined ? msg : `${msg}; ${details}`, {
    delegateCode: code,
  });
}

function doing(command: string, { lease }: IpamCall): string {
  const forWhom = lease.interface === "" ? "" : ` for ${lease.interface}`;
  return `IPAM ${command} by ${lease.type}${forWhom}`;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
