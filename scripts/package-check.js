// Checks what would be published: packs each package and looks at the packed file as its users get it; then looks for
// what the workspace no longer uses. One line a step; a problem shows its tool's own words, and the exit code is 1.
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What nobody can use who installs the package. */
const NOT_FOR_USERS = /\.(test|testing)\.|\.tsbuildinfo$|(^|\/)src\//;
const FOR_USERS = ["package.json", "README.md", "LICENSE"];
/** What is bundled from a source of another name. */
const BUNDLED = new Set(["store/sqlcipher/thread"]);

/**
 * What is wrong with the list of files in a package.
 *
 * @param {readonly string[]} files paths inside the packed file
 * @param {(path: string) => boolean} isThere whether the package's folder holds a file of that path
 * @returns {string[]}
 */
export function fileProblems(files, isThere) {
  const missing = FOR_USERS.filter((name) => !files.includes(name)).map((name) => `${name} is missing`);
  const surplus = files.filter((path) => NOT_FOR_USERS.test(path)).map((path) => `${path} is of no use to users`);
  const compiled = files.flatMap((path) => /^dist\/(.*?)(\.d\.ts|\.js)$/.exec(path)?.[1] ?? []);
  const stale = [...new Set(compiled)]
    .filter((name) => !BUNDLED.has(name) && !isThere(`src/${name}.ts`) && !isThere(`src/${name}.tsx`))
    .map((name) => `dist/${name}.js has no source any more: delete dist, and build again`);
  return [...missing, ...surplus, ...stale, ...(compiled.length > 0 ? [] : ["there is no built file"])];
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} [cwd]
 * @returns {Promise<{ ok: boolean, output: string, stdout: string }>}
 */
function run(program, args, cwd = root) {
  return new Promise((resolve) => {
    execFile(program, [...args], { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: `${stdout}${stderr}`, stdout });
    });
  });
}

/**
 * A tool of this workspace, by the name of its command.
 *
 * @param {string} name
 */
const tool = (name) => join(root, "node_modules", ".bin", name);

/**
 * @param {string} title
 * @param {() => Promise<{ ok: boolean, output: string }>} work
 */
async function step(title, work) {
  const begun = performance.now();
  process.stdout.write(`${title} … `);
  const { ok, output } = await work();
  console.log(`${ok ? "ok" : "PROBLEM"} (${((performance.now() - begun) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(`\n${output.trim()}\n`);
  return ok;
}

/** The packages of the workspace that are published. */
function published() {
  const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return /** @type {string[]} */ (workspaces)
    .map((folder) => join(root, folder))
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter((manifest) => !manifest.private);
}

/**
 * @param {{ name: string, folder: string, exports?: Record<string, unknown> }} manifest
 * @param {string} to where the packed file goes
 */
async function checkPackage({ name, folder, exports }, to) {
  /** @type {string[]} */
  let files = [];
  const packed = await step(`${name}: pack`, async () => {
    const result = await run("npm", ["pack", "--json", "--pack-destination", to], folder);
    if (!result.ok) return result;
    const [packedFile] = Object.values(JSON.parse(result.stdout));
    files = packedFile.files.map((/** @type {{ path: string }} */ { path }) => path);
    return { ok: true, output: "" };
  });
  if (!packed) return false;
  const tarball = join(to, readdirSync(to)[0] ?? "");
  const results = [
    await step(`${name}: its ${files.length} files`, async () => {
      const problems = fileProblems(files, (path) => existsSync(join(folder, path)));
      return { ok: problems.length === 0, output: problems.join("\n") };
    }),
    await step(`${name}: publint`, () => run(tool("publint"), ["run", tarball, "--strict"])),
  ];
  // A package that only brings a command has nothing to import, so no types either.
  if (Object.keys(exports ?? {}).some((subpath) => subpath !== "./package.json")) {
    const args = ["--profile", "esm-only", "--no-color", tarball];
    results.push(await step(`${name}: are the types wrong`, () => run(tool("attw"), args)));
    const compile = () => compileWithoutNode(name, folder, Object.keys(exports ?? {}));
    results.push(await step(`${name}: its types need none of Node.js`, compile));
  }
  return results.every(Boolean);
}

/** MQTT.js brings the types of Node.js itself. */
const NEEDS_MORE_TYPES = ["./mqtt", "./package.json"];

/**
 * Compiles a program that imports each subpath and has no @types/node, only a browser's: internals that leak into public types show.
 *
 * @param {string} name
 * @param {string} folder
 * @param {readonly string[]} subpaths
 */
export async function compileWithoutNode(name, folder, subpaths) {
  const program = mkdtempSync(join(tmpdir(), "agent-stats-types-"));
  try {
    mkdirSync(join(program, "node_modules"));
    symlinkSync(folder, join(program, "node_modules", name));
    const own = subpaths.filter((subpath) => !NEEDS_MORE_TYPES.includes(subpath));
    const lines = own.map((subpath, i) => `export * as m${i} from "${name}${subpath.slice(1)}";`);
    writeFileSync(join(program, "all.mts"), lines.join("\n"));
    const compilerOptions = {
      noEmit: true,
      strict: true,
      target: "ES2023",
      lib: ["ES2023", "DOM"],
      module: "NodeNext",
      types: [],
    };
    writeFileSync(join(program, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["all.mts"] }));
    return await run(tool("tsc"), ["-p", program, "--pretty", "false"]);
  } finally {
    rmSync(program, { recursive: true, force: true });
  }
}

async function main() {
  const results = [];
  for (const manifest of published()) {
    const folder = mkdtempSync(join(tmpdir(), "agent-stats-package-"));
    try {
      results.push(await checkPackage(manifest, folder));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  results.push(
    await step("knip: unused files, exports, dependencies", () =>
      run(tool("knip"), ["--no-progress", "--treat-config-hints-as-errors"]),
    ),
  );
  results.push(await step("size-limit: what is shipped", () => run(tool("size-limit"), [])));
  if (!results.every(Boolean)) {
    console.log("The packages are not fit to be published: see above.");
    process.exitCode = 1;
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
