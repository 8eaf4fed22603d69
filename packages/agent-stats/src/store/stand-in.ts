import { answerOf, callsBy } from "./methods.ts";
import {
  type AnnouncedRows,
  type Announcement,
  announcedPlace,
  type DueSave,
  type KeyOfRow,
  rowsOf,
  type SaveBatch,
  type SaveResult,
  type StoreCalls,
} from "./store.ts";

/** The thread that counts is given this long beyond its time: its own save is the better one. */
const GRACE_MS = 100;
/** How often a row is read again because it changed meanwhile, before it is taken as it is. */
const MOST_READS = 50;

/** What all counters of a row stood at that was never saved. */
const ZEROS = new Float64Array(0);

function stoodAt(values: Float64Array, index: number): number {
  return values[index] ?? 0;
}

/** One row, as the thread that counts would go on from it. */
interface Row {
  readonly key: KeyOfRow;
  /** Its counters. */
  readonly cells: Float64Array;
  /** The number of the first. */
  readonly first: number;
  /** Those that are to be read after all others. */
  readonly attempts: readonly number[];
  hour: number;
  /** Lists that a row shares with others are never written to. */
  hourStart: Float64Array;
  saved: Float64Array;
  /** What was saved of it here; null where nothing was since its own thread saved last. */
  own: Float64Array | null;
  /** The database was told its key. */
  isKnown: boolean;
}

/** A row that changed, what its counters stand at, and the cells of a batch. */
interface Change {
  readonly row: Row;
  readonly values: Float64Array;
  readonly cells: readonly number[];
}

interface Due {
  readonly save: DueSave;
  readonly turns: Int32Array;
}

/**
 * Saves what stands in shared memory when the thread that counts does not come to it: it hangs, or has much to do. It
 * writes the same numbers under the same hour as that thread will when it goes on, and that thread need not know.
 */
class StandIn {
  readonly #save: (batch: SaveBatch) => SaveResult;
  readonly #rows = new Map<number, Row>();
  /** Those of which something was saved here since their own thread saved last. */
  #savedHere: Row[] = [];
  readonly #attempts = new Set<number>();
  #counters: readonly string[] = [];
  readonly #attemptsFrom = new Map<number, readonly number[]>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due: Due | null = null;
  /** The last save of the thread that counts failed: nobody knows what of it is in the database. */
  #isInDoubt = false;

  constructor(save: (batch: SaveBatch) => SaveResult) {
    this.#save = save;
  }

  hear({ turns, anew, rows, due }: Announcement): void {
    if (anew) this.forget();
    this.#learn(rows);
    if (!due) return;
    if (due.isSettled) this.#isInDoubt = false;
    this.#stop();
    this.#watch({ save: due, turns }, GRACE_MS);
  }

  /** The thread that counts saves: it is not stuck. */
  comes(batch: SaveBatch): SaveResult {
    this.#stop();
    this.#isInDoubt = true;
    const result = this.#save({ ...batch, keys: this.#keysOf(batch) });
    this.#isInDoubt = false;
    if (result.outcome === "saved") this.#saved(batch);
    return result;
  }

  /** The keys that the batch brings, and those that were announced and are news to the database. */
  #keysOf(batch: SaveBatch): KeyOfRow[] {
    const given = new Set(batch.keys.map(([row]) => row));
    const announced = rowsOf(batch).flatMap((number) => {
      const row = this.#rows.get(number);
      return row && !row.isKnown && !given.has(number) ? [row.key] : [];
    });
    return [...batch.keys, ...announced];
  }

  forget(): void {
    this.#stop();
    this.#rows.clear();
    this.#savedHere = [];
  }

  #learn({ places, owners, servers, counters, chunks, stands, attempts }: AnnouncedRows): void {
    // Rows of another protocol may come when a save is due already.
    this.#counters = counters;
    for (const counter of attempts) this.#attempts.add(counter);
    let taken = 0;
    servers.forEach((server, i) => {
      const place = announcedPlace(places, i);
      const { row, at, length, first, hour } = place;
      const [protocol, userId] = owners[place.owner] as (typeof owners)[number];
      const own = stands.subarray(taken, taken + place.stands);
      taken += place.stands;
      const hourStart = own.length > 0 ? own.slice(0, length) : ZEROS;
      const saved = own.length > length ? own.slice(length) : hourStart;
      const cells = (chunks[place.chunk] as Float64Array).subarray(at, at + length);
      const key: KeyOfRow = [row, protocol, userId, server];
      this.#rows.set(row, {
        key,
        cells,
        first,
        attempts: this.#attemptsOf(first, length),
        hour,
        hourStart,
        saved,
        own: null,
        isKnown: false,
      });
    });
  }

  /** The same list for all rows of a protocol. */
  #attemptsOf(first: number, length: number): readonly number[] {
    const known = this.#attemptsFrom.get(first);
    if (known) return known;
    const made = Array.from({ length }, (_, index) => index).filter((index) => this.#attempts.has(first + index));
    this.#attemptsFrom.set(first, made);
    return made;
  }

  /** The same as that thread does, once it knows that its save is kept. */
  #saved({ cells, hour }: SaveBatch): void {
    for (const row of this.#savedHere) row.own = null;
    this.#savedHere = [];
    for (let i = 0; i < cells.length; i += 3) {
      const row = this.#rows.get(cells[i] as number);
      if (!row) continue;
      if (row.hour !== hour) {
        row.hour = hour;
        row.hourStart = row.saved;
        row.saved = new Float64Array(row.cells.length);
        row.saved.set(row.hourStart);
      }
      row.isKnown = true;
      const index = (cells[i + 1] as number) - row.first;
      row.saved[index] = stoodAt(row.hourStart, index) + (cells[i + 2] as number);
    }
  }

  #watch(due: Due, graceMs: number): void {
    this.#due = due;
    this.#timer = setTimeout(() => this.look(), due.save.withinMs + graceMs);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#due = null;
  }

  /** The time is over, and nobody came. True when something was saved. */
  look(): boolean {
    const due = this.#due;
    if (!due) return false;
    this.#stop();
    this.#watch(due, 0);
    if (this.#isInDoubt) return false;
    const changed = [...this.#rows.values()].flatMap((row) => {
      const values = valuesOf(row);
      const cells = changesOf(row, values, due.save.hour);
      return cells.length > 0 ? [{ row, values, cells }] : [];
    });
    // From here the other thread may go on: whatever it does comes after this in the queue.
    if (Atomics.load(due.turns, 0) !== due.save.turn) this.#stop();
    else if (changed.length > 0) return this.#saveChanges(due.save, changed);
    return false;
  }

  #saveChanges({ turn: _, withinMs: __, isSettled: ___, ...head }: DueSave, changed: readonly Change[]): boolean {
    const keys = changed.map(({ row }) => row.key);
    const cells = Float64Array.from(changed.flatMap((change) => change.cells));
    try {
      const { outcome } = this.#save({ ...head, at: Date.now(), keys, counters: this.#counters, cells });
      if (outcome !== "saved") {
        // The session is over, or has to hear of something first: that is for the other thread.
        this.#stop();
        return false;
      }
    } catch {
      // It is tried again when the same time has gone by; the thread that counts is told when it saves itself.
      return false;
    }
    for (const { row, values } of changed) {
      if (row.own === null) this.#savedHere.push(row);
      row.own = values;
    }
    return true;
  }
}

/** The cells of what changed since the last save, by whichever thread. */
function changesOf(row: Row, values: Float64Array, hour: number): number[] {
  const start = row.hour === hour ? row.hourStart : row.saved;
  const before = row.own ?? row.saved;
  // A counter that went back was reset or forgotten in a way that nobody announced.
  if (values.some((value, index) => value < stoodAt(before, index))) return [];
  const cells: number[] = [];
  values.forEach((value, index) => {
    if (value === stoodAt(before, index)) return;
    cells.push(row.key[0], row.first + index, value - stoodAt(start, index));
  });
  return cells;
}

/**
 * The counters of a row at one moment, while another thread counts: read again until nothing changed in between. Where
 * that never happens, as in a loop that does nothing but count, at least no success is seen without its attempt.
 */
function valuesOf({ cells, attempts }: Row): Float64Array {
  let values = cells.slice();
  for (let reads = 1; reads < MOST_READS; reads++) {
    const again = cells.slice();
    if (again.every((value, index) => value === values[index])) return values;
    values = again;
  }
  for (const index of attempts) values[index] = cells[index] as number;
  return values;
}

/** The same calls, by which it is known that their caller is alive; and where that one says what it is about to count. */
export function withStandIn(calls: StoreCalls): {
  readonly calls: StoreCalls;
  hear(news: Announcement): void;
  look(): boolean;
} {
  const standIn = new StandIn((batch) => calls.save(batch));
  return {
    calls: {
      ...callsBy<StoreCalls>(answerOf(calls)),
      save: (batch) => standIn.comes(batch),
      close() {
        standIn.forget();
        calls.close();
      },
    },
    hear: (news) => standIn.hear(news),
    look: () => standIn.look(),
  };
}
