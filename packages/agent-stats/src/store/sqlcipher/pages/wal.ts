import { endianness } from "node:os";
import { PAGE_BYTES } from "./cipher.ts";

/**
 * SQLite's write-ahead log, as https://sqlite.org/fileformat2.html and https://sqlite.org/walformat.html describe it:
 * a header, then frames, each a page with a checksum over everything before it.
 */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES;
const MAGIC = 0x377f0682;
const VERSION = 3_007_000;

export interface Frame {
  readonly page: number;
  /** How many pages the database has after this frame, if it ends a transaction; else 0. */
  readonly commit: number;
  readonly bytes: Buffer;
}

export interface Wal {
  /** Frames up to the last commit that SQLite would read. */
  readonly committed: readonly Frame[];
  /** Frames of the same generation beyond it, as far as they can be told: not whole, not committed, or damaged. */
  readonly beyond: readonly Frame[];
  /** False where one of them is missing or of another generation: nobody knows then what it held. */
  readonly isBeyondWhole: boolean;
  /** Whether the frame after the last one that is whole claims to be of this generation, or a later one does. */
  readonly isBroken: boolean;
  /** Tells this generation from those before: each begins with others. */
  readonly salts: string;
}

const NO_WAL: Wal = { committed: [], beyond: [], isBeyondWhole: true, isBroken: false, salts: "" };

/** Reads a WAL as SQLite would, and what lies beyond the point where SQLite stops reading. */
export function readWal(bytes: Buffer | null): Wal {
  if (bytes === null || bytes.length < HEADER_BYTES) return NO_WAL;
  const big = (bytes.readUInt32BE(0) & 1) === 1;
  const [h0, h1] = checksum(bytes.subarray(0, 24), [0, 0], big);
  const isHeader = (bytes.readUInt32BE(0) & ~1) >>> 0 === MAGIC && bytes.readUInt32BE(4) === VERSION;
  const isOurs = bytes.readUInt32BE(8) === PAGE_BYTES;
  if (!isHeader || !isOurs || h0 !== bytes.readUInt32BE(24) || h1 !== bytes.readUInt32BE(28)) {
    // The frames tell their own generation; what follows it is what it has not overwritten of the one before.
    const salts = bytes.toString("hex", HEADER_BYTES + 8, HEADER_BYTES + 16);
    const beyond = framesOf(bytes, 0).filter((_, i, all) =>
      all.slice(0, i + 1).every((frame) => frame.salts === salts),
    );
    return { ...NO_WAL, beyond, isBroken: beyond.length > 0 };
  }
  const salts = bytes.toString("hex", 16, 24);
  const whole = wholeFrames(bytes, [h0, h1], big);
  const ends = whole.findLastIndex(({ commit }) => commit > 0) + 1;
  const all = framesOf(bytes, whole.length);
  const rest = all.filter((frame) => isOfGeneration(frame.salts, salts));
  return {
    committed: whole.slice(0, ends),
    beyond: [...whole.slice(ends), ...rest],
    isBeyondWhole: rest.every((frame, i) => frame === all[i]),
    isBroken: rest.length > 0,
    salts,
  };
}

type Checksum = readonly [number, number];

function wholeFrames(bytes: Buffer, header: Checksum, big: boolean): Frame[] {
  const frames: Frame[] = [];
  let sum = header;
  for (let at = HEADER_BYTES; at + FRAME_BYTES <= bytes.length; at += FRAME_BYTES) {
    if (!bytes.subarray(at + 8, at + 16).equals(bytes.subarray(16, 24))) break;
    sum = checksum(bytes.subarray(at, at + 8), sum, big);
    const page = bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_BYTES);
    sum = checksum(page, sum, big);
    if (sum[0] !== bytes.readUInt32BE(at + 16) || sum[1] !== bytes.readUInt32BE(at + 20)) break;
    frames.push({ page: bytes.readUInt32BE(at), commit: bytes.readUInt32BE(at + 4), bytes: page });
  }
  return frames;
}

/** Every frame from that one on, believed or not. */
function framesOf(bytes: Buffer, first: number): (Frame & { readonly salts: string })[] {
  const frames = [];
  for (let at = HEADER_BYTES + first * FRAME_BYTES; at + FRAME_BYTES <= bytes.length; at += FRAME_BYTES) {
    frames.push({
      page: bytes.readUInt32BE(at),
      commit: bytes.readUInt32BE(at + 4),
      bytes: bytes.subarray(at + FRAME_HEADER_BYTES, at + FRAME_BYTES),
      salts: bytes.toString("hex", at + 8, at + 16),
    });
  }
  return frames;
}

/** A frame whose salt was damaged still has the other one; one of an earlier generation has neither. */
function isOfGeneration(own: string, salts: string): boolean {
  return own.slice(0, 8) === salts.slice(0, 8) || own.slice(8) === salts.slice(8);
}

function checksum(bytes: Buffer, [first, second]: Checksum, big: boolean): Checksum {
  let s0 = first;
  let s1 = second;
  for (let at = 0; at < bytes.length; at += 8) {
    s0 = (s0 + (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + s1) >>> 0;
    s1 = (s1 + (big ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + s0) >>> 0;
  }
  return [s0, s1];
}

/** What the WAL's index, the `-shm` file, knows of it: how far it was committed, and moved into the file. */
export interface WalIndex {
  /** How many commits it was told of since it was built by reading the WAL. */
  readonly commits: number;
  readonly frames: number;
  readonly inFile: number;
  readonly salts: string;
}

/** Two copies of this, then how far the WAL was moved into the file. All in the byte order of the machine. */
const INDEX_BYTES = 48;
const CHECKED_BYTES = 40;
const INDEX_READ_BYTES = 100;

/** Null where there is none, or where it cannot be believed: it is written without care for crashes of the machine. */
export function readWalIndex(bytes: Buffer | null): WalIndex | null {
  if (bytes === null || bytes.length < INDEX_READ_BYTES) return null;
  const big = endianness() === "BE";
  const u32 = (at: number) => (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const isSame = bytes.subarray(0, INDEX_BYTES).equals(bytes.subarray(INDEX_BYTES, 2 * INDEX_BYTES));
  const [s0, s1] = checksum(bytes.subarray(0, CHECKED_BYTES), [0, 0], big);
  if (!isSame || u32(0) !== VERSION || s0 !== u32(40) || s1 !== u32(44)) return null;
  return { commits: u32(8), frames: u32(16), inFile: u32(96), salts: bytes.toString("hex", 32, 40) };
}
