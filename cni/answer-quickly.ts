// The calls that a node gets most, answered before anything else is loaded: VERSION, and what needs no more than a look into a few small files.

import type { NodeReader } from "../host/node-reader.ts";
import { passOn } from "./pass-on.ts";
import { isPlainlyReady } from "./plain-status.ts";
import { formatVersion } from "./spoken-versions.ts";
import { findProblems, type Environment } from "./variables.ts";

/**
 * What goes to stdout, with exit code 0; `undefined` when anything else may be to do or to say, and whenever something goes
 * wrong here: the whole of the verb decides then, meets that too, and tells.
 */
export function answerQuickly(
  environment: Environment,
  stdin: string,
  createReader: () => NodeReader,
): string | undefined {
  switch (environment["CNI_COMMAND"]) {
    case "VERSION":
      return formatVersion(stdin);
    case "ADD":
      if (findProblems("ADD", environment).length > 0) return undefined;
      return passOn(createReader(), environment["CNI_ARGS"] ?? "", stdin);
    case "STATUS":
      return isPlainlyReady(createReader(), stdin) ? "" : undefined;
    case undefined:
    default:
      return undefined;
  }
}
