import type { Recorded } from "../record/recorder.ts";
import type { CountedRow, KeyRow, StatsStore } from "../store/store.ts";
import { parseSimplexServer, serverIdentity } from "./simplex-address.ts";
import { OTHER_USERS } from "./simplex-presented.ts";
import type { SimplexRow } from "./simplex-rows.ts";

/** What is needed of a store to know what it holds of a core. */
export type StoreOfCore = Pick<StatsStore, "sums" | "counted">;

/** What a core stood at. */
export interface SnapshotOfCore {
  /** When it began to count; null where it does not tell. */
  readonly startedAt: Date | null;
  readonly rows: readonly SimplexRow[];
  /** True where every user of the core is told by name: then whoever is missing is gone. */
  readonly isComplete: boolean;
}

/** What was taken over in one life of a core's counters. */
interface Life {
  readonly id: string;
  /** What its counters stood at, by key and counter; zeros are left out. */
  readonly stands: Map<string, Map<string, number>>;
}

/** As many lives under one date may lie behind each other of which deletions left nothing. */
const MOST_EMPTY_LIVES = 32;

/** What a snapshot would do to what is kept. */
export interface Taken {
  readonly snapshot: Recorded;
  /** How much it adds, all counters together. 0: it holds nothing new. */
  readonly adds: number;
  /** True where the core's counters went back although its start date did not move: they are counted as begun anew. */
  readonly wentBack: boolean;
  /** True where numbers of other users together were left out: some of those users are counted by name already. */
  readonly othersLeftOut: boolean;
}

/** Numbers that cannot be told from others that are kept already. */
export class SimplexOverlapError extends Error {
  override readonly name = "SimplexOverlapError";
  readonly code = "SIMPLEX_OVERLAP";

  constructor() {
    super(
      "It tells of a user by name whose numbers may be kept already among the other users' together: give it a database of its own.",
    );
  }
}

/**
 * Knows how a core's snapshots become sessions. A core keeps one running total from its start date on, also across its
 * own restarts: that is one life. A reset moves the date. Where its counters go back under the same date (simplexmq
 * 6.5.5 overwrites what it could not restore, and keeps the date), another life begins too.
 *
 * One at a time for each database: whoever takes two snapshots of one core at once counts the difference twice.
 */
export class CoreSessions {
  readonly #store: StoreOfCore;
  /** Lives by start date, oldest first. */
  readonly #lives = new Map<string, Life[]>();
  /** Addresses by identity: the first under which a server was seen stays its name. */
  #addresses: Map<string, string> | null = null;

  constructor(store: StoreOfCore) {
    this.#store = store;
  }

  /**
   * What this snapshot is a session of. Nothing is remembered before {@link took}.
   *
   * @throws SimplexOverlapError, or the store's StatsError
   */
  async plan(stats: SnapshotOfCore, { mayBeOld }: { readonly mayBeOld: boolean }): Promise<Taken> {
    const addresses = await this.#known();
    const base = `simplex:${stats.startedAt?.toISOString() ?? "undated"}`;
    const lives = await this.#livesOf(base);
    const named = stats.rows.filter(({ userId }) => userId !== OTHER_USERS);
    const users = new Set(named.map(({ userId }) => userId));
    const kept = new Set(lives.flatMap(({ stands }) => [...stands.keys()].map((key) => userOf(key))));
    if (kept.has(OTHER_USERS) && [...users].some((userId) => !kept.has(userId))) throw new SimplexOverlapError();
    const hasOthers = named.length < stats.rows.length;
    const othersLeftOut = hasOthers && [...kept].some((userId) => userId !== OTHER_USERS && !users.has(userId));

    const rows = withNames(othersLeftOut ? named : stats.rows, addresses);
    const life = lifeFor(lives, rows, stats.isComplete, mayBeOld);
    const id = life?.id ?? nextId(base, lives);
    const taken = life ? rows.map((row) => othersNeverBack(row, life)) : rows;
    return {
      snapshot: snapshotOf(id, taken),
      adds: addedBy(taken, life),
      wentBack: life === undefined && lives.length > 0,
      othersLeftOut,
    };
  }

  /** Remembers that a snapshot is kept. */
  async took({ session, servers }: Recorded): Promise<void> {
    const id = session ?? "";
    const lives = await this.#livesOf(id.replace(/#\d+$/, ""));
    let life = lives.find((each) => each.id === id);
    if (!life) {
      life = { id, stands: new Map() };
      lives.push(life);
    }
    const addresses = await this.#known();
    for (const server of servers) {
      const stand = life.stands.get(keyOf(server)) ?? new Map<string, number>();
      for (const [counter, value] of Object.entries(server.session)) if (value > 0) stand.set(counter, value);
      if (stand.size > 0) life.stands.set(keyOf(server), stand);
      addresses.set(serverIdentity(parseSimplexServer(server.server)), server.server);
    }
  }

  /** The users who are kept of the core that began at that date. */
  async users(startedAt: Date | null): Promise<ReadonlySet<string>> {
    const lives = await this.#livesOf(`simplex:${startedAt?.toISOString() ?? "undated"}`);
    return new Set(lives.flatMap(({ stands }) => [...stands.keys()].map(userOf)));
  }

  /** A user was deleted here. */
  forget(userId: string): void {
    for (const lives of this.#lives.values()) {
      for (const { stands } of lives) for (const key of stands.keys()) if (userOf(key) === userId) stands.delete(key);
    }
  }

  async #known(): Promise<Map<string, string>> {
    this.#addresses ??= namesOf((await this.#store.sums(null)).keys);
    return this.#addresses;
  }

  async #livesOf(base: string): Promise<Life[]> {
    const known = this.#lives.get(base);
    if (known) return known;
    const lives: Life[] = [];
    // Deleted users can leave nothing of an earlier life.
    for (let number = 0, nothing = 0; nothing < MOST_EMPTY_LIVES; number++) {
      const id = idOf(base, number);
      const rows = await this.#store.counted(id);
      nothing = rows.length === 0 ? nothing + 1 : 0;
      if (rows.length > 0) lives.push({ id, stands: standsOf(rows) });
    }
    this.#lives.set(base, lives);
    return lives;
  }
}

/** The first life has no number. */
function idOf(base: string, number: number): string {
  return number === 0 ? base : `${base}#${number}`;
}

function nextId(base: string, lives: readonly Life[]): string {
  const latest = lives.at(-1);
  return latest ? idOf(base, Number(latest.id.split("#")[1] ?? 0) + 1) : base;
}

/** The life that the rows go on; undefined where a new one begins. */
function lifeFor(
  lives: readonly Life[],
  rows: readonly SimplexRow[],
  isComplete: boolean,
  mayBeOld: boolean,
): Life | undefined {
  // A file that was imported before a life ended adds nothing when it is imported again.
  const same = mayBeOld ? lives.find((life) => isExactly(life, rows)) : undefined;
  const latest = lives.at(-1);
  return same ?? (latest && !goesBack(latest, rows, isComplete) ? latest : undefined);
}

function isExactly({ stands }: Life, rows: readonly SimplexRow[]): boolean {
  const counting = rows.filter(({ counters }) => Object.values(counters).some((value) => value > 0));
  return (
    counting.length === stands.size &&
    counting.every((row) => {
      const stand = stands.get(keyOf(row));
      const counts = Object.entries(row.counters).filter(([, value]) => value > 0);
      return stand?.size === counts.length && counts.every(([counter, value]) => stand.get(counter) === value);
    })
  );
}

/**
 * True where a counter is smaller than it was, or a server is gone from a user who is not: the core itself never does
 * either. A whole user who is gone was deleted, unless everybody is.
 */
function goesBack({ stands }: Life, rows: readonly SimplexRow[], isComplete: boolean): boolean {
  const named = rows.filter(({ userId }) => userId !== OTHER_USERS);
  const smaller = named.some((row) => {
    const stand = stands.get(keyOf(row));
    return stand && Object.entries(row.counters).some(([counter, value]) => value < (stand.get(counter) ?? 0));
  });
  const here = new Set(named.map(keyOf));
  const users = new Set(named.map(({ userId }) => userId));
  const before = [...stands.keys()].filter((key) => userOf(key) !== OTHER_USERS);
  const isServerGone = before.some((key) => users.has(userOf(key)) && !here.has(key));
  const isEverybodyGone =
    isComplete && before.length > 0 && users.size > 0 && !before.some((key) => users.has(userOf(key)));
  return smaller || isServerGone || isEverybodyGone;
}

/** Other users together have less when one of them is deleted, hidden, or becomes the current one: no reset. */
function othersNeverBack(row: SimplexRow, { stands }: Life): SimplexRow {
  const stand = row.userId === OTHER_USERS ? stands.get(keyOf(row)) : undefined;
  if (!stand) return row;
  const counters = Object.entries(row.counters).map(
    ([counter, value]) => [counter, Math.max(value, stand.get(counter) ?? 0)] as const,
  );
  return { ...row, counters: Object.fromEntries(counters) };
}

/** Rows under the names by which their servers are known. */
function withNames(rows: readonly SimplexRow[], addresses: ReadonlyMap<string, string>): SimplexRow[] {
  const first = new Map<string, string>();
  return rows.map((row) => {
    const identity = serverIdentity(parseSimplexServer(row.server));
    const server = addresses.get(identity) ?? first.get(identity) ?? row.server;
    first.set(identity, server);
    return { ...row, server };
  });
}

function snapshotOf(session: string, rows: readonly SimplexRow[]): Recorded {
  const servers = rows.map(({ counters, ...key }) => ({ ...key, session: counters, total: counters }));
  return {
    session,
    servers,
    rejected: { notWhole: 0, negative: 0, tooLarge: 0, notFinite: 0, unknownName: 0, badKey: 0 },
  };
}

function addedBy(rows: readonly SimplexRow[], life: Life | undefined): number {
  return rows.reduce((sum, row) => {
    const stand = life?.stands.get(keyOf(row));
    const added = Object.entries(row.counters).map(([counter, value]) => value - (stand?.get(counter) ?? 0));
    return sum + added.reduce((a, b) => a + b, 0);
  }, 0);
}

function standsOf(rows: readonly CountedRow[]): Life["stands"] {
  const stands: Life["stands"] = new Map();
  for (const { counter, value, ...key } of rows) {
    const stand = stands.get(keyOf(key)) ?? new Map<string, number>();
    stands.set(keyOf(key), stand.set(counter, value));
  }
  return stands;
}

function namesOf(keys: readonly KeyRow[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { server } of keys) {
    try {
      const identity = serverIdentity(parseSimplexServer(server));
      if (!names.has(identity)) names.set(identity, server);
    } catch {
      // A key of another agent.
    }
  }
  return names;
}

function keyOf({ protocol, userId, server }: { protocol: string; userId: string; server: string }): string {
  return JSON.stringify([protocol, userId, server]);
}

function userOf(key: string): string {
  return (JSON.parse(key) as [string, string, string])[1];
}
