import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type ShimName = "record" | "fault";

/**
 * Builds one of the shared objects that stand between a process and its C library.
 *
 * @returns the path of the object, or why there can be none here
 * @throws when there is a compiler that cannot build it: what it would have shown must not go missing in silence
 */
export function buildShim(name: ShimName, folder: string): { readonly path: string } | { readonly whyNot: string } {
  if (process.platform !== "linux") return { whyNot: `the shim that stands before the C library is for Linux` };
  const path = join(folder, `${name}.so`);
  const args = ["-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-o", path, sourceOf(name), "-ldl", "-lpthread"];
  try {
    execFileSync("cc", args, { stdio: "pipe" });
    return { path };
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return { whyNot: "there is no C compiler (cc)" };
    throw new Error(`the C compiler could not build shim/${name}.c: ${(error as Error).message}`);
  }
}

/** The environment of a process that runs behind the shim. io_uring would pass it by. */
export function shimmed(path: string, settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, LD_PRELOAD: path, UV_USE_IO_URING: "0", ...settings };
}

/** The sources stay where they are: this file may run from where it was written, or from where it was compiled to. */
function sourceOf(name: ShimName): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return join(folder, "shim", `${name}.c`);
}
