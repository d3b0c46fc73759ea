// Errors of the SR-IOV model: each has a stable code, listed in docs/errors.md with what to do about it.

import type { PciAddress } from "./pci-address.ts";

/** Base of every error that `sriov/` and the programs throw. The message says what was done, on what, expected, got. */
export abstract class SriovError extends Error {
  abstract readonly code: `ERR_${string}`;
  override get name(): string {
    return this.code;
  }
}

/** Text that should be a PCI address is not one. */
export class PciAddressError extends SriovError {
  readonly code = "ERR_PCI_ADDRESS";

  constructor(got: string, options?: ErrorOptions) {
    super(`expected a PCI address like 0000:3b:02.1, got ${quote(got)}`, options);
  }
}

/** Text that should be a MAC address is not one. */
export class MacAddressError extends SriovError {
  readonly code = "ERR_MAC_ADDRESS";

  constructor(got: string, expected = "a MAC address like 0a:1b:2c:3d:4e:5f") {
    super(`expected ${expected}, got ${quote(got)}`);
  }
}

/** Text that should be a CPU list or mask of the kernel is not one. */
export class CpuSetError extends SriovError {
  readonly code: "ERR_CPU_LIST" | "ERR_CPU_MASK";

  constructor(code: "ERR_CPU_LIST" | "ERR_CPU_MASK", expected: string, got: string) {
    super(`expected ${expected}, got ${quote(got)}`);
    this.code = code;
  }
}

/** A record was written by a release whose format this one does not read. */
export class RecordFormatError extends SriovError {
  readonly code = "ERR_RECORD_FORMAT";

  constructor(path: string, expected: string, got: string) {
    super(
      `reading the record ${path}: expected format ${expected}, got ${quote(got)}; ` +
        "install the release that wrote it, or delete the pod that holds this VF: its DEL moves the record aside",
    );
  }
}

/** A record is empty, no JSON, or lacks a field. */
export class RecordCorruptError extends SriovError {
  readonly code = "ERR_RECORD_CORRUPT";

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`reading the record ${path}: ${problem}`, options);
  }
}

/** VFs could not be made; the message says of which PF, and what was expected. */
export class ProvisionError extends SriovError {
  readonly code = "ERR_PROVISION";
}

/** One use of a VF. */
export interface VfUse {
  /** `undefined`: it may be any. */
  readonly vf: PciAddress | undefined;
  /** "pod shop/web-1 has 0000:3b:02.1" */
  readonly text: string;
}

/** VFs were to be made anew, or to get another driver, while they are in use; nothing was changed of them. */
export class VfsInUseError extends SriovError {
  readonly code = "ERR_VFS_IN_USE";

  /** `of`: a PF, or a resource. */
  constructor(of: string, uses: readonly VfUse[]) {
    const texts = uses.map(({ text }) => text);
    super(`changing the VFs of ${of}: expected none in use, got: ${texts.join("; ")}`);
  }
}

/** A VF could not be given to a driver; what was changed before is put back. */
export class DriverError extends SriovError {
  readonly code = "ERR_DRIVER";
}

function quote(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return JSON.stringify(shown);
}
