// What the steps of the demo work on, and the form of a step.
import type { Kubectl } from "../cluster/kubectl.ts";
import type { LabNode } from "../node/lab-node.ts";

/** A lab, started here or by another process. */
export interface DemoLab {
  readonly node: LabNode;
  readonly kubectl: Kubectl;
  /** Image of the demo's pods: a shell, ip and ping. */
  readonly toolsImage: string;
}

/** One thing shown: it throws when what it shows is not so, and gives the text to show. */
export interface DemoStep {
  readonly title: string;
  run(): Promise<string>;
}
