// The configurations in a file: its documents, and what its ConfigMaps hold, each with its places in the file.

import { type ConfigText, parseConfigTexts, type Place } from "../../sriov/config-text.ts";
import { type ConfigMapFile, listConfigMapFiles } from "./config-map.ts";
import { kindOf, memberOf } from "./document-kind.ts";

export interface ConfigPart {
  readonly value: unknown;
  /** What its program reads it from. */
  readonly document: ConfigText;
  /** The key of the ConfigMap that it is in: "data.config.yaml"; "" for a document of the file. */
  readonly key: string;
  /** Where a path of it stands in the file. */
  readonly placeOf: (path: string) => Place;
}

/** All configurations in the documents of a file, of whatever kind; what is no YAML has none. */
export function listConfigParts(documents: readonly ConfigText[]): readonly ConfigPart[] {
  return documents
    .filter(({ faults }) => faults.length === 0)
    .flatMap((document) => listBelow(document, document.value, ""));
}

function listBelow(document: ConfigText, value: unknown, path: string): readonly ConfigPart[] {
  const kind = kindOf(value);
  if (kind === "configMap")
    return listConfigMapFiles(value).flatMap((file) => listInFile(document, join(path, file.key), file));
  if (kind === "items")
    return (memberOf(value, "items") as readonly unknown[]).flatMap((item, at) =>
      listBelow(document, item, join(path, `items[${at}]`)),
    );
  return [{ value, document, key: "", placeOf: (at) => document.placeOf(join(path, at)) }];
}

function listInFile(
  outer: ConfigText,
  path: string,
  { key, text = "", isEncoded }: ConfigMapFile,
): readonly ConfigPart[] {
  return listConfigParts(parseConfigTexts(text)).map(({ value, document, placeOf }) => ({
    value,
    document,
    key,
    placeOf: (at) => placeIn(outer, path, isEncoded ? undefined : placeOf(at)),
  }));
}

/** Where `inner` of the text at `path` of the document stands; the text itself, where that cannot be told or is not given. */
export function placeIn(document: ConfigText, path: string, inner: Place | undefined): Place {
  return (inner && document.placeInside(path, inner)) ?? document.placeOf(path);
}

/** Parts of a path, of which some may be "". */
export function join(...parts: readonly string[]): string {
  return parts.filter(Boolean).join(".");
}
