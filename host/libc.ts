// Calls libc: the system calls that neither Bun nor node:fs has, with errno as an error. node-reader.ts and stdin-start.ts load the few of a short call themselves.

import { dlopen, ptr, read, type Pointer } from "bun:ffi";

import { nameErrno } from "./errno.ts";
import { SystemCallError } from "./errors.ts";

/**
 * System calls, loaded at the first one. All are synchronous and run on the calling thread. Each failure is a
 * SystemCallError with call, arguments and errno name. Bytes are in the machine's order, which is little-endian.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array): void;
  connect(fd: number, address: Uint8Array): void;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array): void;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): void;
  /** Bytes received; with MSG_TRUNC the whole length, also of what did not fit. */
  recv(fd: number, into: Uint8Array, flags: number): number;
  send(fd: number, bytes: Uint8Array): void;
  /** Puts the calling thread into the network namespace `fd`: nothing else may run before it is back. */
  setNetns(fd: number): void;
  flock(fd: number, operation: number): void;
  /** Lets a thread run on the CPUs of `mask` only, CPU 0 the lowest bit of the first byte. */
  setAffinity(pid: number, mask: Uint8Array): void;
  /** Of the calling thread. */
  setNice(nice: number): void;
  /** Closes a descriptor whose end the kernel waits for (a packet socket: 8-40 ms); where it can, it waits by itself. */
  closeInBackground(fd: number): void;
  /** bpf(2): a descriptor, or 0. `on` is for the message; `arrays`: what `attributes` shall point to, by offset. */
  bpf(
    command: number,
    attributes: DataView<ArrayBuffer>,
    on: string,
    arrays?: ReadonlyMap<number, Uint32Array<ArrayBuffer>>,
  ): number;
  /** Has two files change places, at once for everybody who looks. Source: rename(2), RENAME_EXCHANGE. */
  exchange(left: string, right: string): void;
  /**
   * A new mount of a file system type as it looks from the calling thread's namespaces, attached nowhere. It can be written, also where
   * another mount has the same instance read-only: that one stays so, by its own flag.
   */
  mountDetached(type: string): number;
}

// Results are small: the low 32 bits of a ssize_t or long hold them, sign included.
const signatures = {
  __errno_location: { args: [], returns: "ptr" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  setpriority: { args: ["i32", "u32", "i32"], returns: "i32" },
  sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i32" },
} as const;

const EINTR = 4;
const MSG_NOSIGNAL = 0x4000;
/** With 0: the calling thread. Source: setpriority(2), NOTES. */
const PRIO_PROCESS = 0;
const CLONE_NEWNET = 0x4000_0000;
// Through syscall(), because glibc has wrappers for the first three only since 2.36; the numbers are the same on x86-64 and arm64.
const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;
// glibc has a wrapper since 2.28 only.
const SYS_renameat2 = process.arch === "arm64" ? 276 : 316;
const SYS_bpf = process.arch === "arm64" ? 280 : 321;
const SYS_io_uring_setup = 425;
const SYS_io_uring_register = 427;
const IORING_REGISTER_FILES = 2;
/** sizeof(struct io_uring_params). */
const ringParamsBytes = 120;
const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_CMD_CREATE = 6;
const FSCONFIG_CMD_RECONFIGURE = 7;
const FSMOUNT_CLOEXEC = 1;
const MOUNT_ATTR_NOSUID_NODEV_NOEXEC = 2 | 4 | 8;

/** libc.so.6 through bun:ffi; costs nothing until the first call, then about 1 ms. */
export function createLibc(): Libc {
  let loaded: ReturnType<typeof load> | undefined;
  function calls(): ReturnType<typeof load> {
    return (loaded ??= load());
  }

  /** `work`'s result; errno is read before anything else can run on this thread. */
  function check(call: string, on: string | (() => string), work: () => number): number {
    for (;;) {
      const result = work();
      if (result >= 0) return result;
      const errno = calls().errno();
      if (errno !== EINTR)
        throw new SystemCallError(call, typeof on === "string" ? on : on(), nameErrno(errno));
    }
  }

  return {
    socket: (domain, type, protocol) =>
      check("socket", `${domain}, ${type}, ${protocol}`, () => calls().socket(domain, type, protocol)),
    bind: (fd, address) => void check("bind", `${fd}`, () => calls().bind(fd, address, address.length)),
    connect: (fd, address) =>
      void check("connect", `${fd}`, () => calls().connect(fd, address, address.length)),
    getsockopt: (fd, level, option, value) => {
      const length = new Uint32Array([value.length]);
      check("getsockopt", `${fd}, ${level}, ${option}`, () =>
        calls().getsockopt(fd, level, option, value, length),
      );
    },
    setsockopt: (fd, level, option, value) =>
      void check("setsockopt", `${fd}, ${level}, ${option}, ${value.join(" ")}`, () =>
        calls().setsockopt(fd, level, option, value, value.length),
      ),
    recv: (fd, into, flags) => check("recv", `${fd}`, () => calls().recv(fd, into, into.length, flags)),
    send: (fd, bytes) =>
      void check("send", `${fd}, ${bytes.length} bytes`, () =>
        calls().send(fd, bytes, bytes.length, MSG_NOSIGNAL),
      ),
    setNetns: (fd) => void check("setns", `${fd}, CLONE_NEWNET`, () => calls().setns(fd, CLONE_NEWNET)),
    flock: (fd, operation) => void check("flock", `${fd}, ${operation}`, () => calls().flock(fd, operation)),
    setNice: (nice) => void check("setpriority", `${nice}`, () => calls().setpriority(PRIO_PROCESS, 0, nice)),
    setAffinity: (pid, mask) =>
      void check("sched_setaffinity", `${pid}`, () => calls().sched_setaffinity(pid, mask.length, mask)),
    closeInBackground: (fd) => {
      const { syscall, close } = calls();
      // The files of a ring are closed by the kernel's own threads, some time after the ring. Where rings are forbidden
      // the last close is ours, and waits.
      const ring = syscall(SYS_io_uring_setup, 1, ptr(new Uint8Array(ringParamsBytes)), 0, 0, 0);
      if (ring >= 0)
        syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, ptr(new Int32Array([fd])), 1, 0);
      close(fd);
      if (ring >= 0) close(ring);
    },
    bpf: (command, attributes, on, arrays) => {
      for (const [offset, array] of arrays ?? []) attributes.setBigUint64(offset, BigInt(ptr(array)), true);
      const { buffer, byteLength } = attributes;
      return check("bpf", `${command}, ${on}`, () =>
        calls().syscall(SYS_bpf, command, ptr(buffer), byteLength, 0, 0),
      );
    },
    exchange: (left, right) => {
      const [from, to] = [Buffer.from(`${left}\0`), Buffer.from(`${right}\0`)];
      check("renameat2", `${left}, ${right}, RENAME_EXCHANGE`, () =>
        calls().syscall(SYS_renameat2, AT_FDCWD, ptr(from), AT_FDCWD, ptr(to), RENAME_EXCHANGE),
      );
    },
    mountDetached: (type) => {
      const { syscall, close } = calls();
      const name = Buffer.from(`${type}\0`);
      const context = check("fsopen", type, () => syscall(SYS_fsopen, ptr(name), FSOPEN_CLOEXEC, 0, 0, 0));
      try {
        check("fsconfig", `${type}, FSCONFIG_CMD_CREATE`, () =>
          syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0),
        );
        const mount = check("fsmount", type, () =>
          syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID_NODEV_NOEXEC, 0, 0),
        );
        // The first mount of an instance makes it read-only for all: a runtime's of a container's /sys. Where this is refused, a write tells.
        syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, ptr(Buffer.from("rw\0")), 0, 0);
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, 0, 0, 0);
        return mount;
      } finally {
        close(context);
      }
    },
  };
}

function load() {
  const { symbols } = dlopen("libc.so.6", signatures);
  // The address belongs to this thread, and so does everything that calls it.
  const errnoLocation = symbols.__errno_location() as Pointer;
  return { ...symbols, errno: () => read.i32(errnoLocation, 0) };
}
