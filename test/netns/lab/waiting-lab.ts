// A lab whose programs come up and then only wait, for interrupt.test.ts to interrupt. Its folder is the first argument.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onInterrupt } from "../../lab/interrupt.ts";
import { startLab } from "../../lab/lab.ts";
import { createProgress } from "../../lab/progress.ts";

const dir = process.argv[2] ?? "";
const bin = join(dir, "bin");
mkdirSync(bin);
for (const name of ["qemu", "etcd", "kube-apiserver"])
  writeFileSync(join(bin, name), "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
writeFileSync(join(bin, "kubectl"), "#!/bin/sh\necho not yet >&2; exit 1\n", { mode: 0o755 });

const signal = onInterrupt();
const nothing = join(bin, "none");
const artifacts = {
  qemu: join(bin, "qemu"),
  kernel: nothing,
  initrd: nothing,
  disk: nothing,
  kubeBinDir: bin,
  cniBinDir: bin,
  pki: bin,
  images: { tools: "" },
};
try {
  await using _lab = await startLab({ artifacts, progress: createProgress(), signal, dir });
} catch (error) {
  process.stdout.write(`${signal.aborted ? String(signal.reason) : String(error)}\n`);
  process.exitCode = signal.aborted ? 130 : 1;
}
