// The product's image, built by buildah from deploy/Dockerfile and the executables in dist/.
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { artefactName } from "./artefact-name.ts";
import { provideBaseImage } from "./debian-images.ts";
import { hashTree } from "./hash-files.ts";
import { inStep, type Workshop } from "./workshop.ts";

/** Name of the product's image in the lab, the one of deploy/kustomize/overlays/lab. */
export const labProductImageName = "localhost/virtfn:lab";

export interface ProductImageOptions {
  /** Name and tag in the archive. */
  readonly name: string;
  /** Base image as buildah's FROM takes it, such as docker-archive:FILE; the Dockerfile's own when missing. */
  readonly base?: string | undefined;
  /** Path of the docker archive that is written. */
  readonly out: string;
}

/** Builds from dist/ as it is now; buildah's storage is a folder of its own beside `out`, gone at the end. */
export async function buildProductImage(workshop: Workshop, options: ProductImageOptions): Promise<void> {
  const storage = `${options.out}.storage`;
  const root = [
    "--root",
    join(storage, "root"),
    "--runroot",
    join(storage, "run"),
    "--storage-driver",
    "vfs",
  ];
  const base = options.base === undefined ? [] : ["--build-arg", `BASE=${options.base}`];
  const archive = `${options.out}.new`;
  await mkdir(dirname(options.out), { recursive: true });
  await rm(archive, { force: true });
  try {
    const file = ["--file", join(workshop.repository, "deploy/Dockerfile")];
    const build = [
      "bud",
      "--isolation",
      "chroot",
      "--format",
      "docker",
      "--timestamp",
      "0",
      "--tag",
      options.name,
    ];
    await workshop.runContained("buildah", [...root, ...build, ...base, ...file, workshop.repository]);
    await workshop.runContained("buildah", [
      ...root,
      "push",
      options.name,
      `docker-archive:${archive}:${options.name}`,
    ]);
    await rename(archive, options.out);
  } finally {
    await rm(storage, { recursive: true, force: true });
  }
}

const sources = [
  "cli",
  "cni",
  "deviceplugin",
  "tuning",
  "sriov",
  "kubelet",
  "host",
  "package-lock.json",
  "tsconfig.json",
  "test/run/build.ts",
];

/** Archive of the product as its sources are now, on the lab's base image; compiled and built when a source has changed. */
export async function provideProductImage(workshop: Workshop): Promise<string> {
  const base = await provideBaseImage(workshop);
  const folder = await workshop.cache.keep({
    name: "product-image",
    inputs: [
      await hashTree(workshop.repository, [...sources, "deploy/Dockerfile"]),
      artefactName(base),
      labProductImageName,
    ],
    make: async (target) => {
      await inStep(workshop, "product: dist/virtfn and dist/virtfn-cni", async () => {
        await workshop.run(process.execPath, ["test/run/build.ts"], { cwd: workshop.repository });
      });
      const out = join(target, "image.tar");
      await inStep(workshop, "product image", () =>
        buildProductImage(workshop, { name: labProductImageName, base: `docker-archive:${base}`, out }),
      );
    },
  });
  return join(folder, "image.tar");
}
