// What networks may ask for: whether node.yaml and the configurations of the resources leave anything to ask for.

import { findLimits } from "../../sriov/node-config.ts";
import { describeLimit, findContradictions } from "../../sriov/vf-limits.ts";
import { type Check, type Finding, listSome, makeCheck, warn } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";

export const limitChecks: readonly Check[] = [
  makeCheck({
    name: "limits",
    needs: ["nodeConfig", "advertised"],
    find: ({ nodeConfig, advertised }) =>
      [...(advertised?.rules ?? [])].flatMap(([resource, { limits }]) =>
        tellContradictions(nodeConfig, resource, limits),
      ),
    ok: ({ nodeConfig, advertised }) => {
      const own = [...(advertised?.rules ?? [])].filter(([, { limits }]) => limits !== undefined);
      const places = [
        ...own.map(([resource]) => `${resource} (its configuration)`),
        ...[...nodeConfig.limits.keys()].map((resource) => `${resource} (node.yaml)`),
      ];
      return places.length === 0 ? "networks may set anything" : listSome(places);
    },
  }),
];

function tellContradictions(
  nodeConfig: DoctorFacts["nodeConfig"],
  resource: string,
  ofResource: Parameters<typeof describeLimit>[0] | undefined,
): readonly Finding[] {
  const ofNode = findLimits(nodeConfig, resource);
  if (ofNode === undefined || ofResource === undefined) return [];
  return findContradictions(ofNode, ofResource).map((key) =>
    warn(
      `${key} of ${resource}: node.yaml allows ${describeLimit(ofNode, key)}, its configuration ${describeLimit(ofResource, key)}`,
      {
        expected: "a value that both allow: networks that set it are refused",
        fix: "change limits in /etc/virtfn/node.yaml, or in the configuration of the resource",
      },
    ),
  );
}
