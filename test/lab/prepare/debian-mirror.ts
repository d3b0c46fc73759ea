// Where this machine gets Debian packages from: the lab uses the same mirror.
import { writeFile } from "node:fs/promises";
import { execa } from "execa";

const publicMirror = "http://deb.debian.org/debian";
const backports = "bookworm-backports";

/** Address of the mirror that the machine's own apt is set to; Debian's public one when there is none. Source: apt-get(8), indextargets. */
export async function readMirror(): Promise<string> {
  const lines = await listTargets();
  const main = lines.find(
    ([, codename, component, origin]) =>
      origin === "Debian" && component === "main" && /^[a-z]+$/.test(codename ?? ""),
  );
  return main?.[0]?.replace(/\/$/, "") ?? publicMirror;
}

/** Makes apt know Debian 12's backports, with one file of its own when no source has them; `added` hears its path. Gives the suite's name. */
export async function addBackports(mirror: string, added: (file: string) => void): Promise<string> {
  const isKnown = (await listTargets()).some(([, codename]) => codename === backports);
  if (!isKnown) {
    const file = "/etc/apt/sources.list.d/virtfn-lab-backports.sources";
    const signedBy = "/usr/share/keyrings/debian-archive-keyring.gpg";
    await writeFile(
      file,
      `Types: deb\nURIs: ${mirror}\nSuites: ${backports}\nComponents: main\nSigned-By: ${signedBy}\n`,
    );
    added(file);
  }
  return backports;
}

async function listTargets(): Promise<readonly (readonly string[])[]> {
  const format = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)";
  const { stdout } = await execa("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    reject: false,
  });
  return (stdout ?? "").split("\n").map((line) => line.split(" "));
}
