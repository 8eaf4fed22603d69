/**
 * What a process under test did, told by itself before it did it, in a file of its own that is only appended to: one
 * write of the operating system a record, so that it survives SIGKILL. Users and servers stand in it as numbers.
 */
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";

/** Before each `add`; and of everything else, before it begins and after it was acknowledged. */
export const WHAT = {
  add: 1,
  flush: 2,
  flushed: 3,
  deleting: 4,
  deleted: 5,
  resetting: 6,
  reset: 7,
  closing: 8,
  closed: 9,
  /** A call to the store; `amount` is the number of its phase. */
  phase: 10,
  phaseOver: 11,
  /** The last thing before SIGKILL. */
  kill: 12,
  /** Before another ending. */
  ending: 13,
  /** The main thread stops answering. */
  hang: 14,
  /** A timer came so late; `amount` in ms. */
  late: 15,
  /** A session began; `amount` is its number. */
  session: 16,
  /** The store had a problem; `amount` is the place of its code in `PROBLEMS`. */
  problem: 17,
  /** A call of the host was rejected. */
  rejected: 18,
  /** The statistics are open. */
  started: 19,
  /** How long its event loop was blocked at most; `amount` in ms. */
  blocked: 20,
  /** Someone looked, and saw nothing wrong. */
  looked: 21,
  /** Someone looked, and saw what cannot be. */
  sawWrong: 22,
  /** A process or a thread is about to end, as something was thrown in it. */
  broke: 23,
  /** An error that reached the host told a secret. */
  leaked: 24,
} as const;
export type What = (typeof WHAT)[keyof typeof WHAT];

/** In place of the number of a user or a server: all of them. */
export const ALL = 0xffff_ffff;

export interface Entry {
  readonly what: What;
  /** The number of a counter of `names.ts`. */
  readonly counter: number;
  readonly user: number;
  readonly server: number;
  readonly amount: number;
  /** Monotonic, ms, the same clock in all processes of a machine. */
  readonly at: number;
}

/** How long each entry is in its file. */
export const ENTRY_BYTES = 32;

export interface Ledger {
  /** Before an `add`. */
  add(user: number, server: number, counter: number, amount: number): void;
  /** Before many `add`s of 1 that are made in one go: told in one write, which is many times as quick. */
  addAll(adds: readonly Pick<Entry, "user" | "server" | "counter">[]): void;
  note(what: What, given?: { readonly user?: number; readonly server?: number; readonly amount?: number }): void;
  close(): void;
}

export function openLedger(path: string): Ledger {
  const fd = openSync(path, "a");
  const record = Buffer.alloc(ENTRY_BYTES);
  const write = (what: What, counter: number, user: number, server: number, amount: number) => {
    put(record, 0, { what, counter, user, server, amount, at: now() });
    writeSync(fd, record);
  };
  return {
    add: (user, server, counter, amount) => write(WHAT.add, counter, user, server, amount),
    addAll: (adds) => {
      const records = Buffer.alloc(adds.length * ENTRY_BYTES);
      const at = now();
      for (const [n, { user, server, counter }] of adds.entries()) {
        put(records, n * ENTRY_BYTES, { what: WHAT.add, counter, user, server, amount: 1, at });
      }
      writeSync(fd, records);
    },
    note: (what, { user = ALL, server = ALL, amount = 0 } = {}) => write(what, 0, user, server, amount),
    close: () => closeSync(fd),
  };
}

function put(bytes: Buffer, offset: number, { what, counter, user, server, amount, at }: Entry): void {
  bytes.writeUInt8(what, offset);
  bytes.writeUInt8(counter, offset + 1);
  bytes.writeUInt32LE(user, offset + 4);
  bytes.writeUInt32LE(server, offset + 8);
  bytes.writeDoubleLE(amount, offset + 16);
  bytes.writeDoubleLE(at, offset + 24);
}

/** The same of its beginning alone, which is quick however long it grows. */
export function readBeginning(path: string, entries: number): Entry[] {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(entries * ENTRY_BYTES);
    return entriesIn(bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)));
  } finally {
    closeSync(fd);
  }
}

export function readLedger(path: string): Entry[] {
  return entriesIn(readFileSync(path));
}

function entriesIn(bytes: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    entries.push({
      what: bytes.readUInt8(at) as What,
      counter: bytes.readUInt8(at + 1),
      user: bytes.readUInt32LE(at + 4),
      server: bytes.readUInt32LE(at + 8),
      amount: bytes.readDoubleLE(at + 16),
      at: bytes.readDoubleLE(at + 24),
    });
  }
  return entries;
}

/** The clock of the ledgers, in ms. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
