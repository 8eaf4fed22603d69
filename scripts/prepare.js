// Makes a fresh clone ready: installs what package-lock.json says, then builds. Runs before anything is installed, so it
// uses Node's own modules only. When nothing is to be done it says nothing and takes well under two seconds.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The version that `engines` in package.json promises. */
const OLDEST_NODE = [20, 19];

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * One package as a lockfile lists it.
 * @typedef {{ version?: string, integrity?: string, resolved?: string, link?: boolean, optional?: boolean }} Locked
 * @typedef {{ packages?: Record<string, Locked> }} Lockfile
 */

/**
 * Why an install is needed; null when the installed packages are those of the lockfile. npm writes its own list into
 * node_modules as the last act of an install, so an install that was interrupted is seen as none.
 *
 * @param {Lockfile} wanted package-lock.json
 * @param {Lockfile | null} installed node_modules/.package-lock.json
 * @returns {string | null}
 */
export function whyInstall(wanted, installed) {
  if (installed === null) return "nothing is installed yet";
  const want = wanted.packages ?? {};
  const have = installed.packages ?? {};
  for (const [path, locked] of Object.entries(want)) {
    const found = have[path];
    if (!path.startsWith("node_modules/") || (!found && locked.optional)) continue; // optional: for another platform
    if (!found || identity(found) !== identity(locked)) return `${path} is not the one of package-lock.json`;
  }
  const extra = Object.keys(have).find((path) => path.startsWith("node_modules/") && !want[path]);
  return extra === undefined ? null : `${extra} is no longer in package-lock.json`;
}

/** @param {Locked} locked */
function identity({ version, integrity, resolved, link }) {
  return link ? `link to ${resolved}` : `${version} ${integrity}`;
}

/**
 * @template T
 * @param {string} path
 * @returns {T | null} null where there is no such file
 */
function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

/**
 * Runs one program to its end, its output held back: it matters only when the program fails.
 *
 * @param {readonly string[]} command
 * @param {{ shell?: boolean }} [options]
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function run([program = "", ...args], { shell = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, shell, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("error", (error) => resolve({ ok: false, output: `${error.message}\n` }));
    child.on("close", (code) => resolve({ ok: code === 0, output }));
  });
}

/**
 * Shows one step on one line: on a terminal the seconds count up, elsewhere the line is ended when the step is.
 * Progress goes to stderr, so that what the next program prints stays the only thing on stdout.
 *
 * @param {string} title
 * @param {() => Promise<{ ok: boolean, output: string }>} work
 */
async function step(title, work) {
  const begun = performance.now();
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(0)} s`;
  process.stderr.write(`${title} …`);
  const show = () => process.stderr.write(`\r${title} … ${seconds()}`);
  const timer = process.stderr.isTTY ? setInterval(show, 1000) : undefined;
  const result = await work();
  clearInterval(timer);
  process.stderr.write(`${timer ? `\r${title} …` : ""} ${result.ok ? "done in" : "failed after"} ${seconds()}\n`);
  return result;
}

/** npm as a command: the one that runs this script, or the one on the PATH. */
function npm() {
  const path = process.env.npm_execpath ?? "";
  return path.endsWith(".js") ? { command: [process.execPath, path], shell: false } : { command: ["npm"], shell: true };
}

/**
 * Says why a step failed: the program's first lines, which hold the reason (npm goes on with its whole manual).
 *
 * @param {string} output
 */
function showReason(output) {
  const lines = output.trimEnd().split("\n");
  console.error(lines.slice(0, 40).join("\n"));
  if (lines.length > 40) console.error(`… and ${lines.length - 40} more lines`);
}

async function install() {
  const wanted = /** @type {Lockfile | null} */ (readJson(join(root, "package-lock.json")));
  const installed = /** @type {Lockfile | null} */ (readJson(join(root, "node_modules", ".package-lock.json")));
  if (wanted === null) return "package-lock.json is missing: check the clone out again.";
  const why = whyInstall(wanted, installed);
  if (why === null) return null;
  const { command, shell } = npm();
  // The tools are development dependencies: a production setting in the environment must not leave them out.
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const { ok, output } = await step(`installing the dependencies: ${why}`, () => run([...command, ...args], { shell }));
  if (ok) return null;
  showReason(output);
  return "npm ci failed, for the reason above. It needs the npm registry, and package.json and package-lock.json that agree.";
}

async function build() {
  const tsc = [process.execPath, join(root, "node_modules", "typescript", "bin", "tsc"), "-b"];
  if (isUpToDate((await run([...tsc, "--dry"])).output)) return null;
  const { ok, output } = await step("building", () => run([...tsc, "--pretty", "false"]));
  if (ok) return null;
  showReason(output);
  return "The sources do not compile: the compiler's lines above say where.";
}

/**
 * What is one file each: the viewer, as it runs in browsers, where nothing that it is made of may be asked for, and the
 * thread of a database, as every start waits for it.
 */
const BUNDLES = [
  { what: "the viewer", config: "vite.config.ts", made: join("viewer", "viewer.js") },
  { what: "the thread of a database", config: "vite.worker.config.ts", made: join("store", "sqlcipher", "thread.js") },
];

/** @param {(typeof BUNDLES)[number]} bundle */
async function bundle({ what, config, made }) {
  const library = join(root, "packages", "agent-stats");
  const sources = readdirSync(join(library, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const from = [...sources, join(library, config), join(root, "package-lock.json")];
  if (isNewest(join(library, "dist", made), from)) return null;
  const vite = [process.execPath, join(root, "node_modules", "vite", "bin", "vite.js"), "build", library];
  const options = ["--config", join(library, config), "--logLevel", "warn"];
  const { ok, output } = await step(`building ${what}`, () => run([...vite, ...options]));
  if (ok) return null;
  showReason(output);
  return "It cannot be bundled: vite's lines above say why.";
}

/**
 * Whether a file is there and no other one was changed after it.
 *
 * @param {string} file
 * @param {readonly string[]} others
 */
export function isNewest(file, others) {
  if (!existsSync(file)) return false;
  const { mtimeMs } = statSync(file);
  return others.every((other) => statSync(other).mtimeMs <= mtimeMs);
}

/**
 * Whether a dry run of the build found nothing to do: only lines that say so. Any other line is a reason to build.
 *
 * @param {string} dryRun
 */
export function isUpToDate(dryRun) {
  const lines = dryRun.split("\n").filter((line) => line.trim() !== "");
  return lines.length > 0 && lines.every((line) => line.endsWith("is up to date"));
}

/** @returns {Promise<string | null>} what went wrong, in one sentence */
async function prepare() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return `This is Node ${process.versions.node}; agent-stats needs Node ${OLDEST_NODE.join(".")} or newer.`;
  }
  const problem = (await install()) ?? (await build());
  if (problem !== null) return problem;
  for (const each of BUNDLES) {
    const bundling = await bundle(each);
    if (bundling !== null) return bundling;
  }
  return null;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const problem = await prepare();
  if (problem !== null) {
    console.error(`\nagent-stats is not ready: ${problem}`);
    process.exitCode = 1;
  }
}
