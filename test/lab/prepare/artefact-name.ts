// The name of an artefact stands for its content when another one is made from it.
import { basename } from "node:path";

/** Name of the cache folder that `path` lies in; the last part of a path outside the cache. */
export function artefactName(path: string): string {
  return path.split("/").findLast((part) => /-[0-9a-f]{16}$/.test(part)) ?? basename(path);
}
