// docs/errors.md tells what to do about every code in the sources, and about no other.

import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

test("every error code of the sources has its line in docs/errors.md, and every line its code", () => {
  const files = globSync("{cli,cni,deviceplugin,host,kubelet,sriov,tuning}/**/*.ts", { cwd: root });
  const sources = files.map((file) => readFileSync(join(root, file), "utf8"));
  const inSources = sources.flatMap((text) =>
    [...text.matchAll(/"(ERR_[A-Z][A-Z_]+)"/g)].map(([, code]) => String(code)),
  );
  const page = readFileSync(join(root, "docs/errors.md"), "utf8");
  const inPage = [...page.matchAll(/^\| `(ERR_[A-Z_]+)` \|[^|]+\|[^|]+\|$/gm)].map(([, code]) =>
    String(code),
  );
  expect(inPage.toSorted()).toEqual([...new Set(inSources)].toSorted());
});
