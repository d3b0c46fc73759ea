// A folder of configurations, and `virtfn validate` run in it.

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runValidate } from "../../cli/validate/main.ts";
import { createFiles } from "../../host/files.ts";

export class ValidateFolder implements Disposable {
  readonly path = fs.mkdtempSync(join(tmpdir(), "virtfn-validate-"));

  write(name: string, text: string): void {
    fs.writeFileSync(join(this.path, name), text);
  }

  /** What is printed, and the exit code, of a call with these arguments. */
  async run(
    argv: readonly string[],
    readStdin = (): Promise<string> => Promise.resolve(""),
  ): Promise<string> {
    const printed: string[] = [];
    const print = (text: string): void => void printed.push(text);
    const code = await runValidate({ files: createFiles() }, argv, { folder: this.path, print, readStdin });
    return `${printed.join("")}exit ${code}`;
  }

  /** The same for a file with this text, behind `flags`. */
  async validate(text: string, name = "x", flags: readonly string[] = []): Promise<string> {
    this.write(name, text);
    return this.run([...flags, name]);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.path, { recursive: true });
  }
}
