// The product's pod on the lab's node, and its containers as processes of the node.
import { productNamespace } from "../demo/install.ts";
import type { Kubectl } from "../cluster/kubectl.ts";
import type { LabNode } from "../node/lab-node.ts";

export const containerNames = ["install-cni", "deviceplugin", "tuning"] as const;
export type ContainerName = (typeof containerNames)[number];

export interface ProductContainer {
  readonly name: ContainerName;
  readonly pod: string;
  readonly restartCount: number;
  /** First process of the container, as the node numbers it. */
  readonly pid: number;
}

interface Status {
  readonly name: string;
  readonly containerID?: string;
  readonly restartCount: number;
  readonly state: { readonly running?: object };
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: {
      readonly containerStatuses?: readonly Status[];
      readonly initContainerStatuses?: readonly Status[];
    };
  }[];
}

/** The named container as it runs now. Throws what its state is when it does not run. */
export async function readContainer(
  lab: { readonly kubectl: Kubectl; readonly node: LabNode },
  name: ContainerName,
): Promise<ProductContainer> {
  const { items } = await lab.kubectl.getJson<PodList>([
    "get",
    "pod",
    "-n",
    productNamespace,
    "-l",
    "app.kubernetes.io/name=virtfn",
  ]);
  const [pod, ...more] = items;
  if (pod === undefined || more.length > 0)
    throw new Error(`expected one pod of virtfn, got ${items.length}`);
  const statuses = [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])];
  const status = statuses.find((one) => one.name === name);
  if (status?.state.running === undefined)
    throw new Error(`container ${name}: ${JSON.stringify(status?.state ?? "none")}`);
  const id = status.containerID?.replace("containerd://", "") ?? "";
  const pid = Number(await lab.node.run(`ctr -n k8s.io task ls | sed -n 's/^${id} *\\([0-9]*\\) .*/\\1/p'`));
  if (pid === 0) throw new Error(`container ${name}: no process of ${id}`);
  return { name, pod: pod.metadata.name, restartCount: status.restartCount, pid };
}
