// `virtfn install-cni`: puts the CNI executable on the host and chains it behind the cluster's own CNI.

import { dirname } from "node:path";
import { type DaemonContext, runDaemon } from "../../host/daemon.ts";
import type { Host } from "../../host/host.ts";
import { readCniVersions } from "./cni-versions.ts";
import { type InstallReport, Installer, whyNotInstalled } from "./installer.ts";
import { createMetrics } from "./metrics.ts";
import { type InstallCniOptions, parseInstallCniOptions, usage } from "./options.ts";
import { ReportLog } from "./report-log.ts";
import { checkKubeletRoot } from "./kubelet-root.ts";
import { lookUntil } from "./watch.ts";

type InstallHost = Pick<Host, "clock" | "exec" | "files" | "paths" | "openNetlink">;

/**
 * Runs the command and gives its exit code. Without `--watch` it ends when executable and entry are in place, 1 when one was
 * refused; while the node has no CNI configuration it waits. `source` is the CNI executable to install.
 */
export async function runInstallCni(
  host: InstallHost,
  argv: readonly string[],
  source: string,
): Promise<number> {
  const options = parseInstallCniOptions(argv, source);
  if (options.help) {
    console.log(usage.trimEnd());
    return 0;
  }
  const { registry: metrics, problems } = createMetrics();
  let report: InstallReport | undefined;
  const whyNotReady = (): string | undefined =>
    report === undefined ? "has not looked at the host yet" : whyNotInstalled(report);
  return runDaemon(host, { name: "install-cni", listen: options.listen, whyNotReady, metrics }, (context) =>
    install(host, options, context, (latest) => {
      report = latest;
      problems.set(listProblems(latest).length);
    }),
  );
}

async function install(
  host: InstallHost,
  options: InstallCniOptions,
  { log, signal }: DaemonContext,
  onReport: (report: InstallReport) => void,
): Promise<void> {
  if (options.kubeletRoot !== undefined) checkKubeletRoot(host, options.hostRoot, options.kubeletRoot);
  const supported = await readCniVersions(host, options.source);
  const installer = new Installer(host, options, supported);
  const reports = new ReportLog(log);
  const { binDir, confDir, entryFile, udevRules } = options;
  const folders = [binDir, confDir, udevRules].filter((folder) => folder !== undefined);
  for (const folder of folders) host.files.makeFolder(folder, 0o755);
  if (entryFile !== undefined) folders.push(dirname(entryFile));
  await lookUntil(host, folders, signal, () => {
    const report = installer.look();
    reports.add(report);
    onReport(report);
    return !options.watch && isDone(report);
  });
}

/** True when there is nothing left to wait for. Throws the first refusal. */
function isDone(report: InstallReport): boolean {
  const [problem] = listProblems(report);
  if (problem !== undefined) throw problem;
  return report.conflist?.kind !== "waiting";
}

function listProblems({ executable, conflist, udevRule }: InstallReport): readonly Error[] {
  return [executable, conflist, udevRule].flatMap((state) =>
    state?.kind === "refused" ? [state.error] : [],
  );
}
