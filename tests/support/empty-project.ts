import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import { ROOT } from "./tree.ts";

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder outside the repository, as somebody has who tries the library: nothing of the workspace is in reach. */
export interface EmptyProject {
  /** Adds a package with all that it depends on, as it is installed here: no network is needed. */
  add(packageName: string): void;
  /** Runs a module there. */
  run(code: string): Promise<Outcome>;
  remove(): void;
}

const LIBRARY = join(ROOT, "packages/agent-stats");

/** A program that is still running after this has hung. */
const LONGEST_RUN_MS = 60_000;

/** Packs the library as for a release, and installs that file, and nothing else, into an empty project. */
export async function emptyProject(): Promise<EmptyProject> {
  const folder = mkdtempSync(join(tmpdir(), "agent-stats-readme-"));
  const packed = join(folder, "packed");
  const project = join(folder, "project");
  for (const made of [packed, project]) mkdirSync(made);
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true }));
  await npm(LIBRARY, ["pack", "--pack-destination", packed]);
  const tarballs = readdirSync(packed).map((name) => join(packed, name));
  await npm(project, ["install", "--offline", "--no-audit", "--no-fund", ...tarballs]);
  return {
    add: (packageName) => copyWithDependencies(packageName, LIBRARY, project, new Set()),
    run: (code) => {
      writeFileSync(join(project, "pasted.mjs"), code);
      return run(process.execPath, ["pasted.mjs"], project);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function npm(cwd: string, args: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await run("npm", args, cwd);
  if (exitCode !== 0) throw new Error(`npm ${args[0]} failed:\n${stdout}${stderr}`);
}

function run(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  // Without what the surrounding npm tells its scripts: it would point another npm back at this workspace.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_")));
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { cwd, env, timeout: LONGEST_RUN_MS }, (error, stdout, stderr) => {
      const hung = child.signalCode === null ? "" : `\nended by ${child.signalCode}`;
      resolve({ exitCode: error === null ? 0 : (child.exitCode ?? 1), stdout, stderr: `${stderr}${hung}` });
    });
    child.stdin?.end();
  });
}

/** The places inside node_modules are kept, so that each package finds the version of a dependency that it found here. */
function copyWithDependencies(name: string, from: string, project: string, copied: Set<string>): void {
  const source = findPackage(name, from);
  if (copied.has(source)) return;
  copied.add(source);
  const place = source.slice(source.indexOf(`${sep}node_modules${sep}`, ROOT.length - 1));
  cpSync(source, join(project, place), { recursive: true });
  const { dependencies, optionalDependencies }: Manifest = JSON.parse(
    readFileSync(join(source, "package.json"), "utf8"),
  );
  for (const dependency of Object.keys(dependencies ?? {})) {
    if (!optionalDependencies?.[dependency]) copyWithDependencies(dependency, source, project, copied);
  }
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  /** npm lists these among the dependencies too. They are for some platforms, and only to be faster. */
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function findPackage(name: string, from: string): string {
  const found = join(from, "node_modules", name);
  if (existsSync(found)) return found;
  if (from === dirname(from)) throw new Error(`${name} is not installed in this workspace`);
  return findPackage(name, dirname(from));
}
