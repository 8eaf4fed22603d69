import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Made by programs, so nothing that the architecture tells of. The same names as in .gitignore. */
const GENERATED = new Set(["node_modules", "dist", "coverage", ".git"]);

/** The text of files, by their path below some folder, with `/` on every system. */
export type Files = ReadonlyMap<string, string>;

/** Every file below a folder that `wanted` says yes to, but for generated ones. A folder that is not there is empty. */
export function readFiles(folder: string, wanted: (path: string) => boolean): Files {
  const paths = filesBelow(join(ROOT, folder)).filter(wanted);
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, folder, path), "utf8")]));
}

/** The folders right inside a folder that hold at least one file. */
export function foldersIn(folder: string): string[] {
  const firsts = filesBelow(join(ROOT, folder))
    .filter((path) => path.includes("/"))
    .map((path) => path.slice(0, path.indexOf("/")));
  return [...new Set(firsts)];
}

function filesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    if (GENERATED.has(entry.name)) return [];
    if (!entry.isDirectory()) return entry.isFile() ? [entry.name] : [];
    return filesBelow(join(folder, entry.name)).map((path) => `${entry.name}/${path}`);
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
