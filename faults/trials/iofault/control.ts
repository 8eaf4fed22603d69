import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";

/** The calls and files that `shim/fault.c` knows, as its bits. */
export const CALLS = { open: 1, read: 2, write: 4, sync: 8, truncate: 16, unlink: 32, link: 64 } as const;
export const FILES = { db: 1, wal: 2, index: 4, draft: 8, lock: 16, folder: 32 } as const;
/** On Linux. `half` is no error: a read or write does half of its work, as it may at any time. */
export const ERRORS = { EINTR: 4, EIO: 5, ENOSPC: 28, half: 0 } as const;

export interface Fault {
  readonly call: keyof typeof CALLS;
  readonly file: keyof typeof FILES;
  readonly error: keyof typeof ERRORS;
  /** The first call that fails, from 1. */
  readonly first: number;
  /** How many fail. */
  readonly many: number;
}

const NUMBERS = 8;
const SEEN_AT = 6;

/** What the shim and the process under test share. */
export class FaultControl {
  readonly #fd: number;

  /** Makes the file; a process that is started with the shim afterwards shares it. */
  static make(path: string): void {
    writeFileSync(path, Buffer.alloc(NUMBERS * 4));
  }

  constructor(path: string) {
    this.#fd = openSync(path, "r+");
  }

  arm({ call, file, error, first, many }: Fault): void {
    this.#write([0, CALLS[call], FILES[file], first, many, ERRORS[error], 0, 0]);
    this.#write([1]);
  }

  /** From here every call works again. */
  heal(): void {
    this.#write([0]);
  }

  /** How many calls of that kind there were since it was armed, and how many of them failed. */
  told(): { readonly seen: number; readonly failed: number } {
    const bytes = Buffer.alloc(8);
    readSync(this.#fd, bytes, 0, 8, SEEN_AT * 4);
    return { seen: bytes.readUInt32LE(0), failed: bytes.readUInt32LE(4) };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #write(numbers: readonly number[]): void {
    writeSync(this.#fd, Uint8Array.from(Buffer.from(Uint32Array.from(numbers).buffer)), 0, numbers.length * 4, 0);
  }
}
