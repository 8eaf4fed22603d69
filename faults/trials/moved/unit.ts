/** One moved unit: a host counts, its file is moved under it, the path comes back, and everything is added up. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { removeSearched } from "../../oracle/canary.ts";
import { DRIVERS, databaseClass } from "../../oracle/drivers.ts";
import { COUNTERS, serverOf, userOf } from "../../oracle/names.ts";
import { type Random, randomOf } from "../../random.ts";
import {
  added,
  type Count,
  type Outcome,
  type Reading,
  type Sums,
  sumsOfCounts,
  type Where,
} from "../../remote/host.ts";
import type { Remote } from "../../remote/remote.ts";
import type { Mechanism } from "../../remote/without.ts";
import type { Seen } from "./judge.ts";
import { copyAlone, hashOf, keep, makePlace, type Place, pathOfKept, SCENARIOS, type Scenario } from "./scenarios.ts";

export type Moment = "counting" | "flush" | "close";
const MOMENTS: readonly Moment[] = ["counting", "counting", "flush", "close"];

const OTHER_KEY = "0d".repeat(32);
const SLOW_FLUSH_MS = 60_000;
const QUICK_FLUSH_MS = 50;
/** Saving resumes by itself, later and later: a busy machine is no reason to fail. */
const PATIENCE_MS = 30_000;

export interface UnitOf {
  readonly seed: number;
  readonly folder: string;
  /** The name of one. Default: by the seed, each as often as any other. */
  readonly scenario?: string;
  /** Default: drawn. */
  readonly moment?: Moment;
  readonly without?: Mechanism;
}

export async function movedUnit(
  [host, other]: readonly [Remote, Remote],
  { seed, folder, scenario: name, moment, without }: UnitOf,
): Promise<Seen> {
  const outside = join(folder, `unit-${seed}`);
  mkdirSync(outside, { recursive: true });
  const random = randomOf(seed);
  const scenario = SCENARIOS.find((each) => each.name === name) ?? (SCENARIOS[seed % SCENARIOS.length] as Scenario);
  const where = { driver: random.pick(DRIVERS), thread: random.pick(["worker", "same"] as const) };
  const place = makePlace(outside, await makeOthers(other, outside, where));
  const keeps: Where = { ...where, file: place.file, ...(without && { without }) };
  const unit = new Unit({ host, other, random, scenario, place, where: keeps });
  try {
    return await unit.run(moment ?? random.pick(MOMENTS));
  } finally {
    removeSearched(outside);
  }
}

interface Parts {
  readonly host: Remote;
  readonly other: Remote;
  readonly random: Random;
  readonly scenario: Scenario;
  readonly place: Place;
  readonly where: Where;
}

const OF_OTHERS: Count = { userId: userOf(99), server: serverOf(99), counter: COUNTERS[1], n: 77 };

class Unit {
  readonly #parts: Parts;
  #counted: Map<string, number> = new Map();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async run(moment: Moment): Promise<Seen> {
    const { host, scenario, place, where, random } = this.#parts;
    const byItself = moment === "counting" && random.percent(30);
    await host.call("open", { where, flushEvery: byItself ? QUICK_FLUSH_MS : SLOW_FLUSH_MS });
    await this.#count();
    await host.call("flush");
    const acknowledged = new Map(this.#counted);
    await this.#count();
    if (moment !== "close") await host.call("flush");
    keep(place);
    if (moment === "close") await this.#count();

    const first = await this.#disturb(moment);
    const memory = await host.call<Sums>("memory");
    const untouched = this.#isUntouched();
    scenario.restore?.(place);
    const closed = moment === "close" ? first : await this.#resume(byItself);
    return {
      scenario: scenario.name,
      codes: scenario.codes,
      moment,
      first: first.code,
      memory,
      counted: this.#counted,
      acknowledged,
      closed: closed.code,
      problems: await host.call("problems"),
      untouched,
      files: await this.#files(),
    };
  }

  async #count(): Promise<void> {
    const { host, random } = this.#parts;
    const counts = Array.from({ length: random.whole(1, 12) }, () => ({
      userId: userOf(random.whole(1, 3)),
      server: serverOf(random.whole(1, 8)),
      counter: random.pick(COUNTERS),
      n: random.whole(1, 1_000),
    }));
    await host.call("count", counts);
    this.#counted = added(this.#counted, sumsOfCounts(counts));
  }

  /** Moves the file, and tells what the first save that can have noticed said. */
  async #disturb(moment: Moment): Promise<Outcome> {
    const { host, random, scenario, place } = this.#parts;
    if (moment === "flush") {
      await this.#count();
      await host.call("startFlush");
      await delay(random.whole(0, 6));
    }
    scenario.disturb(place);
    if (moment === "close") return host.call("close");
    if (moment === "flush") {
      const during = await host.call<Outcome>("flushed");
      if (during.code !== null) return during;
    }
    await this.#count();
    return host.call("flush");
  }

  #isUntouched(): boolean | null {
    const { scenario, place } = this.#parts;
    if (scenario.untouched === undefined) return null;
    return hashOf(place.file) === hashOf(place.others[scenario.untouched]);
  }

  /** The path is back: it goes on counting and saving, and says goodbye. */
  async #resume(byItself: boolean): Promise<Outcome> {
    const { host } = this.#parts;
    await this.#count();
    const patience = performance.now() + PATIENCE_MS;
    for (;;) {
      const { code } = byItself ? { code: await host.call("problem") } : await host.call<Outcome>("flush");
      if (code === null || performance.now() > patience) break;
      await delay(20);
    }
    return host.call("close");
  }

  /** What each file holds in the end that the host has written to: by itself, without a log beside it. */
  async #files(): Promise<Seen["files"]> {
    const { scenario, place } = this.#parts;
    const kept = scenario.original === "kept";
    const files = { ...(kept && { kept: pathOfKept(place) }), path: place.file };
    // One that ended before its folder was back has left none there.
    const there = Object.entries(files).filter(([, path]) => existsSync(path));
    const read = there.map(async ([name, path]) => [name, await this.#read(name, path)] as const);
    return Object.fromEntries(await Promise.all(read));
  }

  async #read(name: string, path: string): Promise<Seen["files"][string]> {
    const { other, where, place, scenario } = this.#parts;
    try {
      const copy: Where = {
        ...where,
        thread: "same",
        file: copyAlone(path, join(place.outside, `alone-${name}`, "stats.db")),
      };
      const { sums } = await other.call<Reading>("read", copy);
      const joined = scenario.joined ? sumsOfCounts([OF_OTHERS]) : new Map<string, number>();
      const mine = path === place.file ? minus(sums, joined) : sums;
      return { sums: mine, problem: null, integrity: await other.call("integrity", copy) };
    } catch (error) {
      return { sums: new Map(), problem: `${error}`, integrity: "not read" };
    }
  }
}

function minus(sums: Sums, less: Sums): Sums {
  return added(sums, new Map([...less].map(([name, n]) => [name, -n])));
}

async function makeOthers(other: Remote, outside: string, where: Omit<Where, "file">): Promise<Place["others"]> {
  const at = (name: string) => join(outside, `other-${name}`);
  for (const [name, key] of [
    ["same", undefined],
    ["key", OTHER_KEY],
  ] as const) {
    await other.call("open", { where: { ...where, file: at(name), ...(key && { key }) }, flushEvery: SLOW_FLUSH_MS });
    await other.call("count", [OF_OTHERS]);
    await other.call("close");
  }
  const plain = new (databaseClass("@signalapp/sqlcipher"))(at("plain"));
  plain.exec("CREATE TABLE of_somebody_else (a TEXT); INSERT INTO of_somebody_else VALUES ('something')");
  plain.close();
  writeFileSync(at("garbage"), Buffer.alloc(12_288, "garbage, and no database "));
  writeFileSync(at("empty"), "");
  return {
    "same key": at("same"),
    "other key": at("key"),
    plaintext: at("plain"),
    garbage: at("garbage"),
    empty: at("empty"),
  };
}
