// Makes all that a lab needs, from a bare Debian: packages, Kubernetes, the guest's disk with the images.
import { type LabArtifacts, LAB_NETWORK, PKI_FILES, type Progress } from "../artifacts.ts";
import { providePauseImage, provideToolsImage, toolsImageName } from "./debian-images.ts";
import { provideDisk } from "./disk.ts";
import { provideGoPrograms } from "./go-programs.ts";
import { provideGuestKernel } from "./guest-kernel.ts";
import { provideGuestRoot } from "./guest-root.ts";
import { readKubeSource } from "./kube-source.ts";
import { provideNodeFiles } from "./node-files.ts";
import { makePki, NODE_NAMES } from "./pki.ts";
import { labProductImageName, provideProductImage } from "./product-image.ts";
import { findQemu, meetRequirements } from "./requirements.ts";
import { createWorkshop, type Workshop } from "./workshop.ts";

export interface PrepareOptions {
  readonly progress: Progress;
  /** Ends what is under way; nothing stays mounted or running. */
  readonly signal?: AbortSignal | undefined;
  /** The product is built and lies in the disk, unless this is false. */
  readonly withProduct?: boolean | undefined;
}

/**
 * Artefacts from the cache, those that are missing made first: 10 to 15 minutes when none is there, 1 s when all are.
 * Throws LabRequirementsError before any work when the machine lacks what can not be installed.
 */
export async function prepareLab(options: PrepareOptions): Promise<LabArtifacts> {
  const workshop = createWorkshop(options);
  const source = await readKubeSource();
  await meetRequirements(workshop, source);
  const work = [provideGoPrograms(workshop, source), provideGuest(workshop), providePki(workshop)] as const;
  await Promise.allSettled(work);
  const [programs, guest, pki] = await Promise.all(work);
  const productImage = options.withProduct === false ? undefined : await provideProductImage(workshop);
  const nodeFiles = await provideNodeFiles(workshop, { ...programs, pki });
  const disk = await provideDisk(workshop, { ...guest, nodeFiles, productImage });
  const product = productImage === undefined ? {} : { product: labProductImageName };
  const images = { tools: toolsImageName, ...product };
  return {
    qemu: await findQemu(),
    kernel: guest.kernel,
    initrd: guest.initrd,
    disk,
    ...programs,
    pki,
    images,
  };
}

interface Guest {
  readonly guestRoot: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly baseImages: readonly string[];
}

async function provideGuest(workshop: Workshop): Promise<Guest> {
  const guestRoot = await provideGuestRoot(workshop);
  const tools = await provideToolsImage(workshop);
  const { kernel, initrd } = await provideGuestKernel(workshop, { guestRoot, busybox: tools.busybox });
  return { guestRoot, kernel, initrd, baseImages: [await providePauseImage(workshop), tools.archive] };
}

async function providePki(workshop: Workshop): Promise<string> {
  return await workshop.cache.keep({
    name: "pki",
    inputs: [LAB_NETWORK, PKI_FILES, NODE_NAMES],
    make: makePki,
  });
}
