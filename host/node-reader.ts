// The part of the host that only reads small files: loaded in a third of the time, for calls that need no more.

import type { Clock } from "./clock.ts";
import type { Files } from "./files.ts";
import type { Host } from "./host.ts";
import { readBootId } from "./boot-id.ts";
import { createPaths } from "./paths.ts";
import { readText } from "./read-text.ts";

/** A `Host` is one, too. */
export interface NodeReader extends Pick<Host, "paths"> {
  readonly files: Pick<Files, "readText">;
  readonly clock: Pick<Clock, "bootId">;
}

/** Of this machine, or for tests of one whose files lie below another root. */
export function createNodeReader(root = "/"): NodeReader {
  const paths = createPaths(root, root);
  const files = { readText };
  return { paths, files, clock: { bootId: () => readBootId(files, paths.proc) } };
}
