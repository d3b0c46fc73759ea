// Folders with a Debian 13 in them, made by mmdebstrap from the mirror that this machine uses.
import { readMirror } from "./debian-mirror.ts";
import type { Workshop } from "./workshop.ts";

export interface DebianRecipe {
  /** minbase: a system; extract: unpacked packages only, for images. */
  readonly variant: "minbase" | "extract";
  readonly packages: readonly string[];
  /** Suites beside trixie. */
  readonly suites?: readonly string[];
  /** mmdebstrap's --setup-hook and --customize-hook, shell texts that find the new root in "$1". */
  readonly setupHook?: string;
  readonly customizeHook?: string;
}

const excluded = ["man", "doc", "info", "locale", "i18n", "lintian", "bug"].map(
  (name) => `/usr/share/${name}/*`,
);
const gconv = "/usr/lib/x86_64-linux-gnu/gconv/*";

/** Fills `folder`, which must not exist yet. All packages are checked against Debian's keys of this machine. */
export async function makeDebianRoot(
  workshop: Workshop,
  recipe: DebianRecipe,
  folder: string,
): Promise<void> {
  const mirror = await readMirror();
  const hooks = Object.entries({ setup: recipe.setupHook, customize: recipe.customizeHook });
  const suites = (recipe.suites ?? []).map((suite) => `deb [check-valid-until=no] ${mirror} ${suite} main`);
  await workshop.runContained("mmdebstrap", [
    "--quiet",
    "--mode=root",
    "--architectures=amd64",
    `--variant=${recipe.variant}`,
    "--keyring=/usr/share/keyrings/debian-archive-keyring.gpg",
    '--aptopt=APT::Install-Recommends "false"',
    ...[...excluded, gconv].map((path) => `--dpkgopt=path-exclude=${path}`),
    `--include=${recipe.packages.join(",")}`,
    ...hooks.flatMap(([name, text]) => (text === undefined ? [] : [`--${name}-hook=${text}`])),
    "trixie",
    folder,
    `deb ${mirror} trixie main`,
    ...suites,
  ]);
}
