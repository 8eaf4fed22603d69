import { builtinModules } from "node:module";
import { type Arrow, globalsUsed } from "./arrows.ts";
import type { Files } from "./tree.ts";

/** What the files of one room may name. A path that ends in `/` is a whole folder. */
interface Room {
  readonly imports: readonly string[];
  /** As types only: nothing of it may be left when the program runs. */
  readonly types?: readonly string[];
  /** Whether it may name Node's modules and other packages. */
  readonly packages?: boolean;
}

const STORE_PORT = ["store/store.ts", "store/errors.ts"];

/** The arrows of DESIGN: `record ← store ← keep ← agents, export`, and `summarise`, which reads types only. */
const ROOMS: Readonly<Record<string, Room>> = {
  record: { imports: ["record/"] },
  store: { imports: ["record/", "store/"], packages: true },
  summarise: { imports: ["summarise/"], types: ["record/", "store/"] },
  keep: { imports: ["record/", "summarise/", "keep/", ...STORE_PORT] },
  agents: { imports: ["record/", "keep/", "agents/", ...STORE_PORT], packages: true },
  export: { imports: ["record/", "keep/", "export/", ...STORE_PORT], packages: true },
  report: { imports: ["record/", "summarise/", "report/", ...STORE_PORT] },
  viewer: { imports: ["record/", "summarise/", "keep/", "report/", "viewer/", ...STORE_PORT], packages: true },
  "index.ts": { imports: ["record/", "store/", "summarise/", "keep/", "agents/", "export/"] },
};

/** What runs in browsers too, with everything that it loads. */
const BROWSER = ["record/", "summarise/", "keep/", "report/", "viewer/", ...STORE_PORT, "store/memory.ts", "index.ts"];

/** The one file there that is about Node's own endings: it finds out first that it runs in Node. */
const NODE_ENDINGS = "keep/endings.ts";

/** Names that only Node has. They may be reached where their absence is noticed: `globalThis.x`, or after `typeof x`. */
const NODE_ONLY = new Set(["process", "Buffer", "require", "global", "setImmediate", "__dirname", "__filename"]);

/** Arrows of the library, its tests left out, that no room allows. */
export function roomProblems(arrows: readonly Arrow[]): string[] {
  return arrows.flatMap(({ from, to, typeOnly, star }) => {
    const name = from.split("/")[0] ?? "";
    const room = ROOMS[name];
    if (!room) return [`${from}: no room is called ${name}: give it its arrows in ${import.meta.filename}`];
    if (star) return [`${from}: exports * from ${to}: name what it exports`];
    if (isPackage(to)) return room.packages ? [] : [`${from} → ${to}: ${name} names no package`];
    if (within(to, room.imports) || (typeOnly && within(to, room.types ?? []))) return [];
    return [`${from} → ${to}: not an arrow of DESIGN${within(to, room.types ?? []) ? ", but as import type" : ""}`];
  });
}

/** Ways from a file that runs in browsers to a module of Node, and uses of what only Node has. */
export function browserProblems(arrows: readonly Arrow[], files: Files): string[] {
  const inBrowsers = [...files].filter(([path]) => within(path, BROWSER));
  const globals = inBrowsers
    .filter(([path]) => path !== NODE_ENDINGS)
    .flatMap(([path, text]) => globalsUsed(path, text, NODE_ONLY).map((name) => `${path}: browsers have no ${name}`));
  return [...globals, ...inBrowsers.flatMap(([path]) => waysToNode(path, arrows))];
}

function waysToNode(start: string, arrows: readonly Arrow[]): string[] {
  const ways = new Map([[start, start]]);
  for (const [at, way] of ways) {
    for (const { from, to, typeOnly } of arrows) {
      if (from === at && !typeOnly && !ways.has(to)) ways.set(to, `${way} → ${to}`);
    }
  }
  return [...ways].filter(([at]) => isNodeModule(at)).map(([, way]) => `${way}: browsers have no such module`);
}

/** Circles of arrows, each told once. An import of types counts: who knows whom is the same. */
export function cycles(arrows: readonly Arrow[]): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (at: string, way: readonly string[]): void => {
    const seen = way.indexOf(at);
    if (seen >= 0) found.push([...way.slice(seen), at].join(" → "));
    if (seen >= 0 || done.has(at)) return;
    for (const next of new Set(arrows.filter(({ from }) => from === at).map(({ to }) => to))) visit(next, [...way, at]);
    done.add(at);
  };
  for (const { from } of arrows) visit(from, []);
  return found;
}

/**
 * Arrows by which a program outside the library reaches into it: a relative one that leaves its own folder, or a name
 * that the library does not export.
 */
export function outsideProblems(arrows: readonly Arrow[], publicNames: readonly string[]): string[] {
  return arrows.flatMap(({ from, to }) => {
    // A page or a package.json is read or written, not imported.
    if (/\.(md|json)$/.test(to)) return [];
    if (to.startsWith("../")) return [`${from} → ${to}: import the library by its public name`];
    const ofLibrary = to === "agent-stats" || to.startsWith("agent-stats/");
    return ofLibrary && !publicNames.includes(to) ? [`${from} → ${to}: not among the library's exports`] : [];
  });
}

function within(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith("/") ? path.startsWith(place) : path === place));
}

/** A file's path holds a `/` and a package's name may too: but only files end in `.ts` or `.tsx`. */
function isPackage(to: string): boolean {
  return !/\.tsx?$/.test(to) && !to.startsWith("../");
}

function isNodeModule(to: string): boolean {
  return to.startsWith("node:") || builtinModules.includes(to);
}
