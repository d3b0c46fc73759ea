// Network namespaces as handles: opened by path, pid or name, told apart by their cookie.

/** An open network namespace. `cookie` (SO_NETNS_COOKIE) is unique for the life of the kernel; inodes are reused at once. */
export interface NetnsHandle extends Disposable {
  /** How it was named when it was opened, for messages. */
  readonly label: string;
  readonly fd: number;
  readonly cookie: bigint;
}

/** sysfs as it looks inside a network namespace, without a mount point (fsopen/fsmount). Paths are relative to /sys. */
export interface NetnsSysfs extends Disposable {
  readText(path: string): string | undefined;
  writeText(path: string, text: string): void;
  list(path: string): readonly string[] | undefined;
}

export interface Namespaces {
  /** Opens the namespace at `path` (`/var/run/netns/x`, `/proc/1/ns/net`); `undefined` when the path is missing or is no namespace (any more). */
  open(path: string): NetnsHandle | undefined;
  /** The process's own namespace. */
  own(): NetnsHandle;
  openSysfs(netns: NetnsHandle): NetnsSysfs;
}
