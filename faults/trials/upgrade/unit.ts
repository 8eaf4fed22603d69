/** One upgrade unit: a copy of an old file, something that is done to it, and what is in it then. */
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { removeSearched } from "../../oracle/canary.ts";
import { DRIVERS } from "../../oracle/drivers.ts";
import { type Random, randomOf } from "../../random.ts";
import { type Remote, startRemote } from "../../remote/remote.ts";
import { allFixtures, copyOf, type Fixture, NEEDLES, type Raw, rawly, rawOf } from "./fixtures.ts";
import { ALL_COUNTERS, type LifeOrder, type Read, type Told } from "./orders.ts";

export type Way = "read" | "open" | "past" | "host" | "newer" | "fewer counters" | "at once" | "killed" | "altered";
/** Kills and races are another thing each time; the others are what they are. */
const WAYS: readonly Way[] = [
  "read",
  "open",
  "past",
  "host",
  "newer",
  "fewer counters",
  "at once",
  "killed",
  "killed",
  "killed",
  "at once",
  "altered",
];

export interface Seen {
  readonly way: Way;
  readonly fixture: Pick<Fixture, "schema" | "name" | "sums" | "hours" | "sessions">;
  /** How often what a life counts was counted. */
  readonly lives: number;
  readonly told: readonly Told[];
  readonly raw: Raw;
  readonly read: Read;
  /** Whether every byte is as it was; null where it must not be. */
  readonly untouched: boolean | null;
  /** The schema that a kill left. */
  readonly schemaLeft?: number;
}

const ENTRY = new URL("./upgrade.child.js", import.meta.url);
const FIXTURES = allFixtures();

export const startUpgrader = (folder: string, name: string) => startRemote({ entry: ENTRY, folder, name });

export async function upgradeUnit(processes: readonly Remote[], seed: number, folder: string): Promise<Seen> {
  const way = WAYS[seed % WAYS.length] as Way;
  const random = randomOf(seed);
  const fixture = random.pick(FIXTURES);
  const home = join(folder, `unit-${seed}`);
  const where = {
    file: copyOf(fixture, home),
    driver: random.pick(DRIVERS),
    thread: random.pick(["worker", "same"] as const),
  };
  const unit = new Unit(processes, random, where, home, folder);
  const done = await unit.go(way);
  const read = await (processes[0] as Remote).call<Read>("read", where);
  const raw = rawOf(where.file, where.driver);
  removeSearched(home, NEEDLES);
  return { way, fixture, ...done, raw, read };
}

type Done = Pick<Seen, "told" | "lives" | "untouched" | "schemaLeft">;

class Unit {
  readonly #processes: readonly Remote[];
  readonly #random: Random;
  readonly #where: LifeOrder["where"];
  readonly #home: string;
  readonly #folder: string;

  constructor(processes: readonly Remote[], random: Random, where: LifeOrder["where"], home: string, folder: string) {
    this.#processes = processes;
    this.#random = random;
    this.#where = where;
    this.#home = home;
    this.#folder = folder;
  }

  go(way: Way): Promise<Done> {
    if (way === "read") return this.#read();
    if (way === "newer") return this.#newer();
    if (way === "fewer counters") return this.#fewerCounters();
    if (way === "at once") return this.#atOnce();
    if (way === "killed") return this.#killed();
    if (way === "altered") return this.#altered();
    return this.#once(way === "open" ? "own" : way);
  }

  get #first(): Remote {
    return this.#processes[0] as Remote;
  }

  #live(process: Remote, order: Partial<LifeOrder> = {}): Promise<Told> {
    const all: LifeOrder = { where: this.#where, wiring: "own", counters: ALL_COUNTERS, counts: true, ...order };
    return process.call<Told>("live", all);
  }

  async #read(): Promise<Done> {
    const before = hashesOf(this.#home);
    const { problem } = await this.#first.call<Read>("read", this.#where);
    // SQLite itself moves a log into its file when the last reader goes: then only what is in it must be the same.
    const hadLog = before.size > 1;
    const untouched = hadLog ? null : isSame(before, hashesOf(this.#home));
    return { told: [{ problem, flushed: null }], lives: 0, untouched };
  }

  async #once(wiring: LifeOrder["wiring"]): Promise<Done> {
    return { told: [await this.#live(this.#first, { wiring })], lives: 1, untouched: null };
  }

  /** A version that has not been made yet wrote it: every way in is refused, and no byte is changed. */
  async #newer(): Promise<Done> {
    const { file, driver } = this.#where;
    const version = (by: number) =>
      rawly(file, driver, (handle) => {
        const { now } = handle
          .prepare("SELECT value AS now FROM agent_stats_meta WHERE name = 'schema_version'")
          .get([]) as {
          now: number;
        };
        handle.exec(
          `PRAGMA wal_checkpoint(TRUNCATE); UPDATE agent_stats_meta SET value = ${now + by} WHERE name = 'schema_version'`,
        );
      });
    version(1_000);
    const before = hashesOf(this.#home);
    const told: Told[] = [];
    for (const wiring of ["own", "past", "host"] as const) told.push(await this.#live(this.#first, { wiring }));
    const { problem } = await this.#first.call<Read>("read", this.#where);
    told.push({ problem, flushed: problem });
    const untouched = isSame(before, hashesOf(this.#home));
    version(-1_000);
    return { told, lives: 0, untouched };
  }

  /** A version that lacks a counter, twice, and then one that has it again. */
  async #fewerCounters(): Promise<Done> {
    const fewer = this.#random.pick([["sent"], ["sent", "attempts"], ["sent", "errors"]] as const);
    const wirings = [this.#random.pick(["own", "past"] as const), this.#random.pick(["own", "past"] as const)];
    const told: Told[] = [];
    for (const wiring of wirings) told.push(await this.#live(this.#first, { wiring, counters: fewer }));
    told.push(await this.#live(this.#first, { wiring: "past" }));
    return { told, lives: told.length, untouched: null };
  }

  async #atOnce(): Promise<Done> {
    const told = await Promise.all(this.#processes.map((process) => this.#live(process)));
    return { told, lives: told.length, untouched: null };
  }

  /** Killed at some moment of the upgrade; the next start finishes it. */
  async #killed(): Promise<Done> {
    const victim = startUpgrader(this.#folder, "killed");
    await victim.call("ready");
    const living = this.#live(victim, { counts: false }).catch(() => null);
    await delay(this.#random.whole(0, 100));
    await victim.kill();
    await living;
    const schemaLeft = this.#schemaLeft();
    return { told: [await this.#live(this.#first)], lives: 1, untouched: null, schemaLeft };
  }

  /** How far it had come: looked up in a copy, so that the next start finds what the kill left. */
  #schemaLeft(): number {
    const copy = join(this.#home, "left");
    mkdirSync(copy);
    for (const suffix of ["", "-wal"]) {
      if (existsSync(this.#where.file + suffix))
        copyFileSync(this.#where.file + suffix, join(copy, `left.db${suffix}`));
    }
    return rawOf(join(copy, "left.db"), this.#where.driver).version;
  }

  /** The control: one number is another than that version wrote. */
  async #altered(): Promise<Done> {
    const table = this.#random.pick(["agent_stats_past", "agent_stats_count"]);
    rawly(this.#where.file, this.#where.driver, (handle) => {
      const { key, counter } = handle
        .prepare(`SELECT key_id AS key, counter FROM ${table} ORDER BY key_id, counter LIMIT 1`)
        .get([]) as { key: number; counter: string };
      handle.prepare(`UPDATE ${table} SET value = value + 1 WHERE key_id = ? AND counter = ?`).run([key, counter]);
    });
    return { told: [await this.#live(this.#first)], lives: 1, untouched: null };
  }
}

/** Files that SQLite and the locks of sessions leave empty are none. */
function hashesOf(folder: string): Map<string, string> {
  const names = readdirSync(folder).filter((name) => !name.endsWith("-shm"));
  const files = names.map((name) => [name, readFileSync(join(folder, name))] as const);
  return new Map(
    files
      .filter(([, bytes]) => bytes.length > 0)
      .map(([name, bytes]) => [name, createHash("sha256").update(bytes).digest("hex")]),
  );
}

function isSame(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): boolean {
  return before.size === after.size && [...before].every(([name, hash]) => after.get(name) === hash);
}
