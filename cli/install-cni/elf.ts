// What an ELF file needs from the system it is started on, and which symbol versions a library offers.

/** Reads at most `length` bytes from `offset`, fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

export interface ElfNeeds {
  /** The loader's path, "/lib64/ld-linux-x86-64.so.2"; undefined for libraries and static executables. */
  readonly loader: string | undefined;
  readonly libraries: readonly string[];
  /** By library: the symbol versions without which the loader refuses the file. */
  readonly versions: ReadonlyMap<string, readonly string[]>;
  /** The symbol versions the file itself offers, in file order. */
  readonly offers: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const segmentType = { load: 1, dynamic: 2, loader: 3 } as const;
const tag = {
  needed: 1,
  strings: 5,
  stringsSize: 10,
  versionsOffered: 0x6ffffffc,
  versionsNeeded: 0x6ffffffe,
};
const weak = 2;
/** More than any library's version tables take (glibc's: 2 KB). */
const versionTableBytes = 65_536;

/**
 * Parses a 64-bit little-endian file by its program headers; undefined when it is none. Throws RangeError when it is cut short.
 * Source: System V ABI, "Program Header" and "Dynamic Section"; Linux Standard Base, "Symbol Versioning".
 */
export function readElfNeeds(readAt: ReadAt): ElfNeeds | undefined {
  const header = readAt(0, 64);
  if (!isElf64(header)) return undefined;
  const segments = readSegments(readAt, viewOf(header));
  const loader = segments.find((segment) => segment.type === segmentType.loader);
  const dynamic = readDynamic(readAt, segments);
  const table = (address: number | undefined, size: number): Uint8Array =>
    address === undefined ? new Uint8Array() : readAt(offsetOf(segments, address), size);
  const strings = table(dynamic.get(tag.strings)?.[0], dynamic.get(tag.stringsSize)?.[0] ?? 0);
  return {
    loader: loader && textAt(readAt(loader.offset, loader.size), 0),
    libraries: (dynamic.get(tag.needed) ?? []).map((at) => textAt(strings, at)),
    versions: readNeeded(table(dynamic.get(tag.versionsNeeded)?.[0], versionTableBytes), strings),
    offers: readOffered(table(dynamic.get(tag.versionsOffered)?.[0], versionTableBytes), strings),
  };
}

function isElf64(header: Uint8Array): boolean {
  return header.length === 64 && [0x7f, 0x45, 0x4c, 0x46, 2, 1].every((byte, at) => header[at] === byte);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function word(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function textAt(bytes: Uint8Array, start: number): string {
  return new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)));
}

function readSegments(readAt: ReadAt, header: DataView): readonly Segment[] {
  const size = header.getUint16(54, true);
  const count = header.getUint16(56, true);
  const view = viewOf(readAt(word(header, 32), size * count));
  return Array.from({ length: count }, (_, index) => ({
    type: view.getUint32(index * size, true),
    offset: word(view, index * size + 8),
    address: word(view, index * size + 16),
    size: word(view, index * size + 32),
  }));
}

/** The dynamic section: values by tag, in order. */
function readDynamic(readAt: ReadAt, segments: readonly Segment[]): ReadonlyMap<number, readonly number[]> {
  const entries = new Map<number, number[]>();
  const segment = segments.find(({ type }) => type === segmentType.dynamic);
  if (segment === undefined) return entries;
  const view = viewOf(readAt(segment.offset, segment.size));
  for (let at = 0; at < segment.size; at += 16) {
    const key = word(view, at);
    entries.set(key, [...(entries.get(key) ?? []), word(view, at + 8)]);
  }
  return entries;
}

function offsetOf(segments: readonly Segment[], address: number): number {
  const home = segments.find(
    ({ type, address: start, size }) =>
      type === segmentType.load && address >= start && address < start + size,
  );
  if (home === undefined) throw new RangeError(`address ${address} is in no segment of the file`);
  return home.offset + address - home.address;
}

function readNeeded(table: Uint8Array, strings: Uint8Array): ReadonlyMap<string, readonly string[]> {
  const view = viewOf(table);
  return new Map(
    followChain(view, 0, 12).map((file) => {
      const versions = followChain(view, file + view.getUint32(file + 8, true), 12)
        .filter((at) => (view.getUint16(at + 4, true) & weak) === 0)
        .map((at) => textAt(strings, view.getUint32(at + 8, true)));
      return [textAt(strings, view.getUint32(file + 4, true)), versions];
    }),
  );
}

function readOffered(table: Uint8Array, strings: Uint8Array): readonly string[] {
  const view = viewOf(table);
  return followChain(view, 0, 16).map((at) => {
    const name = at + view.getUint32(at + 12, true);
    return textAt(strings, view.getUint32(name, true));
  });
}

/** Offsets of a chain's entries; each holds the distance to the next at `next`, 0 in the last. Empty for an empty table. */
function followChain(view: DataView, start: number, next: number): readonly number[] {
  if (view.byteLength === 0) return [];
  const offsets = [start];
  for (let at = start, step = view.getUint32(at + next, true); step !== 0;) {
    at += step;
    offsets.push(at);
    step = view.getUint32(at + next, true);
  }
  return offsets;
}
