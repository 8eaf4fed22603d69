import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type AgentStats, openAgentStats, StatsError, type StatsErrorCode, type StatsStore } from "agent-stats";
import { type DriverName, sqlcipherStore } from "agent-stats/sqlcipher";
import { CANARIES, removeSearched } from "../../oracle/canary.ts";
import { openWithKey } from "../../oracle/drivers.ts";
import { COUNTERS, KEY, protocol, serverOf, userOf } from "../../oracle/names.ts";
import { integrityOf, rawState } from "../../oracle/raw-file.ts";
import { acknowledged, type Clearing, canonical, type Entry } from "../../oracle/story.ts";
import { secretIn } from "../../oracle/told-errors.ts";
import type { Fault, FaultControl } from "./control.ts";

/** What the host does while calls fail. */
export const PHASES = ["create", "start", "migrate", "count", "delete", "reset", "read", "close"] as const;
export type Phase = (typeof PHASES)[number];

export interface Case {
  readonly phase: Phase;
  readonly thread: "worker" | "same";
  readonly driver: DriverName;
  readonly fault: Fault;
}

/** What is switched off, for controls. */
export type Without = "healing" | "telling that a save failed";

export interface Tried {
  /** False where the call never came so often: there was no fault. */
  readonly fired: boolean;
  readonly codes: readonly string[];
  readonly problem: string | null;
  /** How much that was counted is not in the file. */
  readonly lost: number;
}

/** What a disk that fails to read or write may be called. Damage, another key and loss are no such thing. */
const MAY_SAY: ReadonlySet<StatsErrorCode> = new Set([
  "STATS_STORE_FAILED",
  "STATS_READ_ONLY",
  "STATS_DISK_FULL",
  "STATS_BUSY",
]);
const ANSWERS_WITHIN_MS = 20_000;
const FILE = "stats.db";

/** Where files to begin with stand: `open.db` with its WAL, of a killed session; `old.db`, of the first schema. */
export interface Place {
  readonly folder: string;
  readonly bases: string;
  readonly control: FaultControl;
}

/** One fault in the life of a host: it goes on while calls fail, and when it heals, nothing may be lost. */
export async function tryCase(at: Place, tried: Case, before: readonly Entry[], without?: Without): Promise<Tried> {
  const host = new FaultyHost(at, tried, before, without);
  try {
    await host.live();
  } catch (error) {
    host.problem(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    at.control.heal();
  }
  try {
    removeSearched(at.folder);
  } catch (error) {
    host.problem(String(error));
  }
  return host.result();
}

class FaultyHost {
  readonly #at: Place;
  readonly #case: Case;
  readonly #without: Without | undefined;
  readonly #story: Entry[];
  readonly #codes = new Set<string>();
  #problem: string | null = null;
  #fired = false;
  #lost = 0;
  #asked = 1_000;

  constructor(at: Place, tried: Case, before: readonly Entry[], without: Without | undefined) {
    this.#at = at;
    this.#case = tried;
    this.#without = without;
    this.#story = [...before];
  }

  problem(what: string): void {
    this.#problem ??= what;
  }

  result(): Tried {
    return { fired: this.#fired, codes: [...this.#codes], problem: this.#problem, lost: this.#lost };
  }

  async live(): Promise<void> {
    const { phase, fault } = this.#case;
    const { control, folder } = this.#at;
    this.#prepare();
    const inode = existsSync(join(folder, FILE)) ? statSync(join(folder, FILE)).ino : null;
    const isStart = phase === "create" || phase === "start" || phase === "migrate";
    if (isStart) control.arm(fault);
    const stats = await this.#open();
    if (!isStart) {
      this.#count(stats, 1);
      await this.#ask(stats, "save");
      control.arm(fault);
    }
    await this.#fail(stats);
    this.#fired = control.told().failed > 0;
    if (this.#without !== "healing") control.heal();
    await this.#afterwards(stats, phase);
    control.heal();
    this.#judge(inode);
  }

  /** The files that this phase begins with. */
  #prepare(): void {
    const { folder, bases } = this.#at;
    mkdirSync(folder);
    const base = this.#case.phase === "create" ? null : this.#case.phase === "migrate" ? "old.db" : "open.db";
    for (const part of base === null ? [] : ["", "-wal"]) {
      const from = join(bases, `${base}${part}`);
      if (existsSync(from)) copyFileSync(from, join(folder, FILE + part));
    }
  }

  async #open(): Promise<AgentStats> {
    this.#story.push(["start"]);
    const { thread, driver } = this.#case;
    const file = join(this.#at.folder, FILE);
    const store = sqlcipherStore({ file, key: KEY, driver, thread, ifDamaged: "move-aside" });
    return await within(
      openAgentStats({
        protocols: [protocol],
        store: this.#without === "telling that a save failed" ? silent(store) : store,
        flushEvery: 3_600_000,
        onProblem: (problem) => this.#heard(problem),
      }),
    );
  }

  /** What the phase does while calls fail, and a save after it. */
  async #fail(stats: AgentStats): Promise<void> {
    const { phase } = this.#case;
    this.#count(stats, 2);
    if (phase === "delete") await this.#ask(stats, { user: userOf(2) });
    if (phase === "reset") await this.#ask(stats, { reset: { server: serverOf(2) } });
    if (phase === "read") await this.#read(stats);
    if (phase === "close") await this.#close(stats);
    else await this.#ask(stats, "save");
    this.#count(stats, 3);
  }

  /** When it heals: what was refused is asked again, and everything is there in the end. */
  async #afterwards(stats: AgentStats, phase: Phase): Promise<void> {
    const must = this.#without === undefined;
    if (phase !== "close") {
      const again = { delete: { user: userOf(2) }, reset: { reset: { server: serverOf(2) } } } as const;
      const isUndone = this.#story.some(
        (entry) => entry[0] === "asked" && entry[2] !== "save" && !this.#isDone(entry[1]),
      );
      if (isUndone && (phase === "delete" || phase === "reset")) await this.#ask(stats, again[phase], must);
      await this.#ask(stats, "save", must);
      await this.#read(stats, must);
    }
    await this.#close(stats, must);
  }

  #isDone(id: number): boolean {
    return this.#story.some((entry) => entry[0] === "done" && entry[1] === id);
  }

  #count(stats: AgentStats, round: number): void {
    // What is counted after the end counts nowhere.
    if (this.#case.phase === "close" && round === 3) return;
    // Each round has keys of its own: what is counted again is saved again, as values are absolute.
    for (const n of [1, 2, 3]) {
      const [user, server, counter] = [
        userOf(n),
        serverOf(n % 2 === 0 ? 2 : 10 + round),
        COUNTERS[n % 2] as string,
      ] as const;
      this.#story.push(["add", user, server, counter, round * 10 + n]);
      stats.server(protocol, user, server).add(counter as (typeof COUNTERS)[number], round * 10 + n);
    }
  }

  async #ask(stats: AgentStats, what: "save" | Clearing, must = false): Promise<void> {
    const id = ++this.#asked;
    this.#story.push(["asked", id, what]);
    const asked =
      what === "save"
        ? () => stats.flush()
        : "user" in what
          ? () => stats.deleteUser(what.user)
          : () => stats.reset({ server: what.reset.server as string });
    if (await this.#answered(asked, must)) this.#story.push(["done", id]);
  }

  async #read(stats: AgentStats, must = false): Promise<void> {
    await this.#answered(() => stats.getServersStats(), must);
  }

  async #close(stats: AgentStats, must = false): Promise<void> {
    const id = ++this.#asked;
    this.#story.push(["asked", id, "save"]);
    if (await this.#answered(() => stats.close(), must)) this.#story.push(["done", id]);
  }

  /** True when it was done. A fault must be told in words of the library, and at once. */
  async #answered(ask: () => Promise<unknown>, must: boolean): Promise<boolean> {
    try {
      await within(ask());
      return true;
    } catch (error) {
      if (!(error instanceof StatsError)) throw error;
      this.#heard(error);
      if (must) this.problem(`healed, it still fails with ${error.code}`);
      return false;
    }
  }

  #heard(problem: StatsError | null): void {
    if (problem === null) return;
    this.#codes.add(problem.code);
    if (!MAY_SAY.has(problem.code)) this.problem(`a failing call is called ${problem.code}`);
    const told = secretIn(problem, [...CANARIES, { what: "a path", bytes: Buffer.from(this.#at.folder) }]);
    if (told !== null) this.problem(`an error tells a secret: ${told}`);
  }

  /** Everything that was counted, and nothing else, in the file that was there from the first. */
  #judge(inode: number | null): void {
    const { folder } = this.#at;
    const file = join(folder, FILE);
    const expected = atLast(this.#story);
    const others = readdirSync(folder).filter(
      (name) => name !== FILE && !/-session-|-wal$|-shm$|-creating|-new/.test(name),
    );
    if (others.length > 0) this.problem(`the folder holds ${others.join()}`);
    if (!existsSync(file)) {
      this.#lost = [...expected.values()].reduce((sum, value) => sum + value, 0);
      this.problem("there is no file");
      return;
    }
    if (inode !== null && statSync(file).ino !== inode) this.problem("another file stands in its place");
    const handle = openWithKey(file, this.#case.driver);
    try {
      const integrity = integrityOf(handle);
      if (integrity !== "ok") this.problem(`SQLite says: ${integrity}`);
      const found = rawState(handle);
      for (const [key, value] of expected) this.#lost += Math.max(0, value - (found.get(key) ?? 0));
      if (canonical(found) !== canonical(expected))
        this.problem(`the sums are not those of the ledger: ${this.#lost} lost`);
      const pending = handle.prepare("SELECT value FROM agent_stats_meta WHERE name = 'erase_pending'").get([]) as {
        value: number;
      };
      if (pending.value !== 0) this.problem("healed, what was deleted is still to be erased");
    } finally {
      handle.close();
    }
  }
}

/** What must be there in the end: all that was asked for, done when it was asked last. */
function atLast(story: readonly Entry[]) {
  const all = story.flatMap((entry): Entry[] => (entry[0] === "asked" ? [["done", entry[1]]] : []));
  return acknowledged([...story, ...all]);
}

/** The control: a store that says that it saved what it did not. */
function silent(store: StatsStore): StatsStore {
  const { now: _now, ...calls } = store;
  return { ...calls, save: (batch) => store.save(batch).catch(() => ({ outcome: "saved" }) as const) };
}

async function within<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("it did not answer")), ANSWERS_WITHIN_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
