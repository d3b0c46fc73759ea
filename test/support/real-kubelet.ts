// A real kubelet in standalone mode, in a mount namespace of its own: /var/lib/kubelet is a folder of a fixture machine.
import * as fs from "node:fs";
import { join } from "node:path";

import { FakeCri } from "./fake-cri.ts";

/**
 * The kubelet's paths are constants, and at its start it writes kernel settings of the whole machine: both are covered by
 * mounts that only it sees.
 */
const enterScript = `
set -e
mount -t tmpfs none /var/lib
mkdir /var/lib/kubelet
mount --bind "$1" /var/lib/kubelet
mount -t tmpfs none /var/log
mount -t tmpfs none /run
cover() { echo "$2" > "/run/$(basename "$1")"; mount --bind "/run/$(basename "$1")" "/proc/sys/$1"; }
cover vm/overcommit_memory 1
cover vm/panic_on_oom 0
cover kernel/panic 10
cover kernel/panic_on_oops 1
cover kernel/keys/root_maxkeys 1000000
cover kernel/keys/root_maxbytes 25000000
shift
exec "$@"
`;

/** The kubelet with its runtime. Disposing it ends both; `stop` and `start` restart the kubelet alone. */
export class RealKubelet implements AsyncDisposable {
  readonly cri: FakeCri;
  readonly #root: string;
  readonly #executable: string;
  #child: Bun.Subprocess | undefined;
  #log = "";

  private constructor(root: string, executable: string, cri: FakeCri) {
    this.#root = root;
    this.#executable = executable;
    this.cri = cri;
  }

  /** Starts both; the kubelet serves its sockets some seconds later. */
  static async start(root: string, executable: string): Promise<RealKubelet> {
    fs.mkdirSync(join(root, "var/lib/kubelet"), { recursive: true });
    fs.mkdirSync(join(root, "manifests"), { recursive: true });
    const cri = await FakeCri.serve(join(root, "cri.sock"));
    const kubelet = new RealKubelet(root, executable, cri);
    fs.writeFileSync(join(root, "kubelet.json"), JSON.stringify(kubelet.#configuration()));
    kubelet.start();
    return kubelet;
  }

  start(): void {
    const config = join(this.#root, "kubelet.json");
    const kubelet = [this.#executable, "--config", config, "--hostname-override", "n1", "--v", "2"];
    const command = [
      "unshare",
      "--mount",
      "sh",
      "-c",
      enterScript,
      "sh",
      join(this.#root, "var/lib/kubelet"),
      ...kubelet,
    ];
    const log = fs.openSync(join(this.#root, "kubelet.log"), "a");
    this.#child = Bun.spawn(command, { stdin: "ignore", stdout: log, stderr: log });
    fs.closeSync(log);
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#child?.exited;
  }

  /** Makes a static pod of one container that asks for `count` devices of `resource`. */
  writePod(name: string, resource: string, count: number): void {
    const amounts = { [resource]: String(count) };
    const container = {
      name: "c",
      image: "pause:1",
      imagePullPolicy: "Never",
      resources: { limits: amounts, requests: amounts },
    };
    const spec = { containers: [container] };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, spec };
    const path = join(this.#root, "manifests", `${name}.json`);
    fs.writeFileSync(`${this.#root}/${name}.json`, JSON.stringify(pod));
    fs.renameSync(`${this.#root}/${name}.json`, path);
  }

  /** The end of the kubelet's log, for the message of a failed test; also after the kubelet was disposed. */
  logTail(lines = 20): string {
    const path = join(this.#root, "kubelet.log");
    if (fs.existsSync(path)) this.#log = fs.readFileSync(path, "utf8");
    return this.#log.split("\n").slice(-lines).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.logTail();
    this.cri[Symbol.dispose]();
  }

  #configuration(): object {
    return {
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: "AlwaysAllow" },
      enableServer: false,
      healthzPort: 0,
      failSwapOn: false,
      failCgroupV1: false,
      cgroupDriver: "cgroupfs",
      cgroupsPerQOS: false,
      enforceNodeAllocatable: [],
      makeIPTablesUtilChains: false,
      localStorageCapacityIsolation: false,
      oomScoreAdj: 0,
      containerRuntimeEndpoint: `unix://${join(this.#root, "cri.sock")}`,
      staticPodPath: join(this.#root, "manifests"),
      fileCheckFrequency: "1s",
    };
  }
}
