/**
 * What a process said of itself, in order, and which states its database may therefore be in. The process says what it
 * is about to do before it does it, and what it was told is done after; nothing here asks the library.
 */

/** What is cleared: a user (whose totals may stay, without a name), or the counters that a scope covers. */
export type Clearing =
  | { readonly user: string; readonly totals?: "anonymise" }
  | { readonly reset: { readonly user?: string; readonly server?: string } };

export type Entry =
  /** A process began to count. */
  | readonly ["start"]
  /** About to count. */
  | readonly ["add", user: string, server: string, counter: string, n: number]
  /** About to ask for everything to be saved, or for something to be cleared. */
  | readonly ["asked", id: number, what: "save" | Clearing]
  /** It was told that this is done. */
  | readonly ["done", id: number];

/** Every counter that is not 0, by `user|server|counter`. */
export type State = ReadonlyMap<string, number>;

export function entriesOf(text: string): Entry[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Entry);
}

export const keyOf = (user: string, server: string, counter: string) => `${user}|${server}|${counter}`;

/** The same for equal states. */
export function canonical(state: State): string {
  return [...state]
    .filter(([, value]) => value !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join("\n");
}

/** Every state that was right at any moment until now: where the latest may be lost, and nothing else may be wrong. */
export function everAdmissible(entries: readonly Entry[]): Set<string> {
  const all = new Set<string>([""]);
  for (let end = 1; end <= entries.length; end++) {
    for (const state of admissible(entries.slice(0, end))) all.add(state);
  }
  return all;
}

/**
 * Every state that is right, canonical: all that was acknowledged, and of what came later any beginning of each
 * session, every save and every clearing whole or not at all.
 */
export function admissible(entries: readonly Entry[]): Set<string> {
  const done = new Set(entries.flatMap((entry) => (entry[0] === "done" ? [entry[1]] : [])));
  const open = entries.flatMap((entry) =>
    entry[0] === "asked" && entry[2] !== "save" && !done.has(entry[1]) ? [entry[1]] : [],
  );
  const states = new Set<string>();
  for (const cuts of products(sessionsOf(entries).map((session) => cutsOf(session, done)))) {
    for (const applied of subsets(open)) {
      states.add(canonical(stateOf(entries, cuts, new Set([...applied, ...done]))));
    }
  }
  return states;
}

/** What is certainly in the database: the acknowledged part alone. */
export function acknowledged(entries: readonly Entry[]): State {
  const done = new Set(entries.flatMap((entry) => (entry[0] === "done" ? [entry[1]] : [])));
  return stateOf(
    entries,
    sessionsOf(entries).map((session) => cutsOf(session, done)[0] as number),
    done,
  );
}

interface SessionPart {
  readonly first: number;
  readonly entries: readonly Entry[];
}

function sessionsOf(entries: readonly Entry[]): SessionPart[] {
  const starts = entries.flatMap((entry, index) => (entry[0] === "start" ? [index] : []));
  return starts.map((first, i) => ({ first, entries: entries.slice(first, starts[i + 1] ?? entries.length) }));
}

/** Up to where a session's counts may be saved: at least what was acknowledged, at most everything. */
function cutsOf({ first, entries }: SessionPart, done: ReadonlySet<number>): number[] {
  let least = first;
  for (const [index, entry] of entries.entries()) {
    if (entry[0] === "asked" && done.has(entry[1]) && savesAll(entry[2])) least = first + index;
  }
  const later = entries.flatMap((entry, index) =>
    entry[0] === "add" && first + index > least ? [first + index + 1] : [],
  );
  return [least, ...later];
}

const savesAll = (what: "save" | Clearing) => what === "save" || ("user" in what && what.totals === "anonymise");

function stateOf(entries: readonly Entry[], cuts: readonly number[], applied: ReadonlySet<number>): State {
  const state = new Map<string, number>();
  const muted = new Set<string>();
  let session = -1;
  for (const [index, entry] of entries.entries()) {
    if (entry[0] === "start") {
      session += 1;
      muted.clear();
    } else if (entry[0] === "add") {
      const [, user, server, counter, n] = entry;
      if (index >= (cuts[session] as number) || muted.has(user)) continue;
      const key = keyOf(user, server, counter);
      state.set(key, (state.get(key) ?? 0) + n);
    } else if (entry[0] === "asked" && entry[2] !== "save") {
      if (applied.has(entry[1])) clear(state, entry[2]);
      if ("user" in entry[2]) muted.add(entry[2].user);
    }
  }
  return state;
}

function clear(state: Map<string, number>, what: Clearing): void {
  for (const [key, value] of [...state]) {
    const [user, server, counter] = key.split("|") as [string, string, string];
    const covered =
      "user" in what
        ? user === what.user
        : (what.reset.user ?? user) === user && (what.reset.server ?? server) === server;
    if (!covered) continue;
    state.delete(key);
    if (!("user" in what) || what.totals !== "anonymise") continue;
    const nobody = keyOf("", "", counter);
    state.set(nobody, (state.get(nobody) ?? 0) + value);
  }
}

function products(choices: readonly (readonly number[])[]): number[][] {
  return choices.reduce<number[][]>((all, some) => all.flatMap((one) => some.map((each) => [...one, each])), [[]]);
}

function subsets(ids: readonly number[]): number[][] {
  return ids.reduce<number[][]>((all, id) => all.flatMap((one) => [one, [...one, id]]), [[]]);
}
