// What a ConfigMap holds: each of its keys becomes a file of the programs.

import { memberOf } from "./document-kind.ts";

export interface ConfigMapFile {
  /** Path of the key in the object: "data.config.yaml". */
  readonly key: string;
  /** Undefined where it is no text. */
  readonly text: string | undefined;
  /** In base64, so that places in the text are none in the object. */
  readonly isEncoded: boolean;
}

/** Its files, those of `binaryData` too, which kubectl makes of what is not UTF-8. Source: Kubernetes API, v1 ConfigMap. */
export function listConfigMapFiles(value: unknown): readonly ConfigMapFile[] {
  const list = (section: string, isEncoded: boolean): readonly ConfigMapFile[] =>
    Object.entries(memberOf(value, section) ?? {}).map(([name, text]) => ({
      key: `${section}.${name}`,
      text: typeof text === "string" ? decode(text, isEncoded) : undefined,
      isEncoded,
    }));
  return [...list("data", false), ...list("binaryData", true)];
}

function decode(text: string, isEncoded: boolean): string {
  return isEncoded ? Buffer.from(text, "base64").toString("utf8") : text;
}
