// The environment of a Go build whose caches lie in a folder of their own.
import { join } from "node:path";

/** Static Linux executables for x86-64; nothing outside `folder` is read or written. */
export function goEnvironment(folder: string): Readonly<Record<string, string>> {
  return {
    CGO_ENABLED: "0",
    GOFLAGS: "-modcacherw",
    GOMODCACHE: join(folder, "mod"),
    GOCACHE: join(folder, "build"),
    GOPATH: join(folder, "path"),
    GOWORK: "off",
    GOOS: "linux",
    GOARCH: "amd64",
  };
}
