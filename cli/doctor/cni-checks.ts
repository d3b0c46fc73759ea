// The container runtime's side: the executable, and the entry that makes it be called.

import { pluginName } from "../install-cni/executable.ts";
import { type Check, fail, makeCheck, warn } from "./check.ts";

const installer = "kubectl logs of the container install-cni tells why; or: virtfn install-cni";

export const cniChecks: readonly Check[] = [
  makeCheck({
    name: "cni-executable",
    needs: ["cni"],
    find: ({ cni: { executable } }) => {
      const { path, state } = executable;
      if (state === "there") return [];
      const seen = state === "missing" ? `no ${path}` : `${path} is not an executable file`;
      return [fail(seen, { expected: "the CNI plugin: without it no pod gets its VF", fix: installer })];
    },
    ok: ({ cni: { executable } }) => executable.path,
  }),
  makeCheck({
    name: "cni-configuration",
    needs: ["cni"],
    find: ({ cni: { configuration, confDir } }) => {
      if (configuration === undefined)
        return [
          fail(`no configuration in ${confDir}`, {
            expected: "the cluster's own CNI",
            fix: "install a CNI plugin for the cluster; virtfn is chained behind it by itself",
          }),
        ];
      const { path, types, forMultus } = configuration;
      if (types === undefined)
        return [
          fail(`${path} is not understood`, {
            expected: "a CNI configuration",
            fix: `virtfn validate ${path}`,
          }),
        ];
      if (types.some(isMultus) && forMultus.length > 0)
        return [
          warn(`${path} calls Multus, which hands on the entry of ${pluginName} in ${forMultus.join(", ")}`, {
            expected:
              "no such entry: Multus does not tell it a pod's annotations, so a pod that names networks gets its VF twice, and does not start",
            fix: `take the entry out of ${forMultus.join(", ")}, and install with --no-conflist (overlay multus)`,
          }),
        ];
      if (types.includes(pluginName) || types.some(isMultus)) return [];
      return [
        fail(`the runtime loads ${path}, which calls ${types.join(", ")}`, {
          expected: `${pluginName} behind them, or Multus`,
          fix: installer,
        }),
      ];
    },
    ok: ({ cni: { configuration } }) => {
      const { path = "", types = [] } = configuration ?? {};
      return types.includes(pluginName)
        ? `${path} calls ${types.join(", ")}`
        : `${path} calls Multus: VFs are attached by NetworkAttachmentDefinitions`;
    },
  }),
];

/** The plugin that calls others as a pod's annotations say, alone or as the shim of its daemon. */
function isMultus(type: string): boolean {
  return type === "multus" || type === "multus-shim";
}
