// pools.json as the device plugin keeps it: what is offered now, and by which limits the CNI plugin gives it away.
import { HostError, SystemCallError } from "../host/errors.ts";
import type { Log } from "../host/log.ts";
import { watchFile } from "../host/watch-file.ts";
import {
  type AdvertisedDetails,
  type AdvertisedPools,
  formatAdvertisedPools,
  parseAdvertisement,
  writeAdvertisedPools,
} from "../sriov/advertised-pools.ts";
import { SriovError } from "../sriov/errors.ts";
import type { ResourcePool } from "../sriov/resource-config.ts";
import { formatResourceRules, type ResourceRules, type RulesByResource } from "../sriov/resource-rules.ts";
import type { DevicePluginHost } from "./changes.ts";
import type { DeviceTree } from "./device-tree.ts";

/** Picking a VF without the kubelet takes this lock too. Holders are quick; whoever hangs must not keep devices from the kubelet. */
const pickTimeoutMs = 2_000;

type PoolsHost = Pick<DevicePluginHost, "files" | "paths" | "locks">;

/** One for each run of the device plugin, which alone writes the file. */
export class PoolsFile {
  readonly #host: PoolsHost;
  readonly #log: Log;
  /** Why the list could not be written last; "" when it could. */
  #problem = "";
  /** What the file holds since it was written last; undefined before. */
  #written: string | undefined;

  constructor(host: PoolsHost, log: Log) {
    this.#host = host;
    this.#log = log;
  }

  /**
   * Writes what `tree` offers, if that is not there yet. Returns the resources whose limits the file does not tell: none, unless it
   * cannot be written (logged), as on a disk that is full or read-only.
   */
  async write(tree: DeviceTree): Promise<ReadonlySet<string>> {
    const { pools, details } = toAdvertised(tree);
    const text = formatAdvertisedPools(pools, details);
    const present = this.#read();
    if (present === text) {
      this.#written = text;
      return new Set();
    }
    try {
      using _lock = await this.#host.locks.acquire("pick", { timeoutMs: pickTimeoutMs });
      writeAdvertisedPools(this.#host, pools, details);
      this.#written = text;
      this.#problem = "";
      return new Set();
    } catch (error) {
      // The message names a temporary file, another one each time.
      const problem = error instanceof SystemCallError ? error.errno : String(error);
      if (problem !== this.#problem) this.#log.error({ error }, "cannot write down what is offered");
      this.#problem = problem;
      return listUntold(details.rules, parseRules(present, this.#host.paths.pools));
    }
  }

  /** Calls `onLoss` when somebody else removed or changed the file, until disposed: without it nothing limits what networks ask for. */
  watch(onLoss: () => void): Disposable {
    return watchFile(this.#host, this.#host.paths.pools, () => {
      if (this.#read() !== this.#written) onLoss();
    });
  }

  /** What cannot be read is to be written anew. */
  #read(): string | undefined {
    try {
      return this.#host.files.readText(this.#host.paths.pools);
    } catch (error) {
      if (error instanceof HostError) return undefined;
      throw error;
    }
  }
}

function toAdvertised({ resources, leftOut }: DeviceTree): {
  readonly pools: AdvertisedPools;
  readonly details: AdvertisedDetails;
} {
  const pools = [...resources].map(([name, { devices }]) => [name, [...devices.keys()]] as const);
  const problems = [...resources.values()].flatMap(({ devices }) =>
    [...devices].flatMap(([id, { problem }]) => (problem === undefined ? [] : [[id, problem] as const])),
  );
  const reasons = [...leftOut].map(([id, { reason }]) => [id, reason] as const);
  const rules = [...resources].flatMap(([name, { pool }]) =>
    hasRules(pool) ? [[name, pool.rules] as const] : [],
  );
  return {
    pools: new Map(pools),
    details: { unhealthy: new Map(problems), leftOut: new Map(reasons), rules: new Map(rules) },
  };
}

function hasRules({ rules: { limits, tuning } }: ResourcePool): boolean {
  return limits !== undefined || tuning !== undefined;
}

// Of a file that is not understood the CNI plugin takes nothing.
function parseRules(text: string | undefined, path: string): RulesByResource {
  try {
    return text === undefined ? new Map() : parseAdvertisement(text, path).rules;
  } catch (error) {
    if (error instanceof SriovError) return new Map();
    throw error;
  }
}

function listUntold(wanted: RulesByResource, told: RulesByResource): ReadonlySet<string> {
  const untold = [...wanted].filter(
    ([name, { limits }]) => limits !== undefined && formatLimits(told.get(name)) !== formatLimits({ limits }),
  );
  return new Set(untold.map(([name]) => name));
}

function formatLimits(rules: Pick<ResourceRules, "limits"> | undefined): string {
  return JSON.stringify(formatResourceRules({ limits: rules?.limits, tuning: undefined }));
}
