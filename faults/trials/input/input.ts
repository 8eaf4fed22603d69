/**
 * Input: calls, messages, names, rows and arguments such as no compiler would let pass, by the million. Each is judged by
 * a model in other words than the library's; only its own errors may come back, and no count may be another.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DRIVERS_MISSING } from "../../oracle/drivers.ts";
import { inParallel } from "../../parallel.ts";
import { seedOfUnit } from "../../random.ts";
import { type Remote, startRemote } from "../../remote/remote.ts";
import type { Control, Failure, Trial, TrialContext, TrialOutcome } from "../../trial.ts";
import type { Found, Order } from "./fuzz.ts";
import { FEWEST_SPAWNED, SPAWNED_OF, spawnCommands } from "./spawn-cli.ts";

export const input: Trial = {
  name: "input",
  what: "Calls, port messages, names, rows and CLI arguments as no compiler would let pass, each judged by a model",
  unit: "inputs",
  atLeast: 1_000_000,
  inMemory: true,
  scale: { small: 40_000, full: 1_010_000 },
  run,
};

/** How many in a thousand inputs are of each kind, and how many of them one order does. */
const KINDS: Readonly<Record<string, { readonly share: number; readonly atOnce: number }>> = {
  counting: { share: 555, atOnce: 25_000 },
  keys: { share: 100, atOnce: 10_000 },
  requests: { share: 180, atOnce: 15_000 },
  replies: { share: 70, atOnce: 5_000 },
  doors: { share: 15, atOnce: 2_000 },
  agents: { share: 8, atOnce: 1_000 },
  hosts: { share: 10, atOnce: 1_000 },
  names: { share: 6, atOnce: 2_000 },
  commands: { share: 3, atOnce: 500 },
  rows: { share: 0.25, atOnce: 40 },
};

/** Longer than any order takes on a busy machine. */
const PATIENCE_MS = 300_000;

async function run(context: TrialContext): Promise<TrialOutcome> {
  const { count, seed, folder, parallel, progress } = context;
  const failures: Failure[] = [];
  const ran: Record<string, number> = {};
  const seen: Record<string, number> = {};
  const done = () => Object.values(ran).reduce((all, n) => all + n, 0);
  const lanes = new Lanes(folder);
  await inParallel(ordersOf(count, seed), parallel, async (order) => {
    // Where it died or hung, nobody knows at which of them.
    const died = (error: unknown): Found => ({ ran: order.runs, problems: [`${error}`] });
    const found = await lanes.fuzz(order).catch(died);
    ran[order.kind] = (ran[order.kind] ?? 0) + found.ran;
    for (const [name, n] of Object.entries(found.seen ?? {})) seen[name] = (seen[name] ?? 0) + n;
    const again = { seed: order.seed, count: countFor(order.kind, found.ran) };
    failures.push(...found.problems.map((what) => ({ ...again, what: `${order.kind}: ${what}` })));
    progress(done());
  });
  const spawned = await spawnCommands({ ...context, count: Math.max(FEWEST_SPAWNED, Math.round(count / SPAWNED_OF)) });
  const controls = await controlsOf(lanes, seed);
  await lanes.end();
  return {
    ran: done() + spawned.ran,
    seen: { ...ran, spawned: spawned.ran, ...seen },
    controls,
    failures: [...failures, ...spawned.failures].slice(0, 20),
    ...(DRIVERS_MISSING !== undefined && { skipped: DRIVERS_MISSING }),
  };
}

type PlainOrder = Omit<Order, "folder">;

const SHARES = Object.values(KINDS).reduce((all, { share }) => all + share, 0);

/** The nth order of every kind has the nth seed, so that a failure's own seed makes that order the first of its kind. */
export function ordersOf(count: number, seed: number): PlainOrder[] {
  return Object.entries(KINDS).flatMap(([kind, { share, atOnce }]) => {
    const runs = Math.ceil((count * share) / SHARES);
    return Array.from({ length: Math.ceil(runs / atOnce) }, (_, n) => {
      return { kind, runs: Math.min(atOnce, runs - n * atOnce), seed: seedOfUnit(seed, n) };
    });
  });
}

/** How many inputs the trial must make, so that so many of them are of this kind. */
export function countFor(kind: string, runs: number): number {
  return Math.ceil((runs * SHARES) / (KINDS[kind]?.share ?? SHARES));
}

/** Processes that fuzz; one that died or hung is not used again. */
class Lanes {
  readonly #folder: string;
  readonly #free: Remote[] = [];
  #started = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async fuzz(order: PlainOrder): Promise<Found> {
    const folder = join(this.#folder, `${order.kind}-${order.seed}`);
    mkdirSync(folder, { recursive: true });
    const entry = new URL("./input.child.js", import.meta.url);
    const remote = this.#free.pop() ?? startRemote({ entry, folder: this.#folder, name: `fuzz-${++this.#started}` });
    try {
      const found = await remote.call<Found>("fuzz", { ...order, folder }, PATIENCE_MS);
      this.#free.push(remote);
      return found;
    } catch (error) {
      await remote.kill();
      throw error;
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#free.map((remote) => remote.end()));
  }
}

const CONTROL_RUNS = 2_000;

async function controlsOf(lanes: Lanes, seed: number): Promise<Control[]> {
  const control = async (kind: string, without: string): Promise<Control> => {
    const { problems, ran } = await lanes.fuzz({ kind, seed, runs: CONTROL_RUNS });
    return { without, bites: problems.length > 0, seen: { foundAfter: ran } };
  };
  return [
    await control("unguarded", "guards: a counter as one would write it first"),
    await control("unguarded server", "guards: a server that believes what it is sent"),
    await control("unguarded doors", "guards: a function that uses what it is given, and leaves the words to V8"),
  ];
}
