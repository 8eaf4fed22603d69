/** Values of a record of SQLite's format. A whole number beyond 2^53 is none of ours, and becomes NaN. */
export type RecordValue = number | string | Buffer | null;

/** A variable-length integer and where it ends; null where there is none. Values above 2^53 lose their last bits. */
export function readVarint(bytes: Buffer, at: number): readonly [value: number, end: number] | null {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return null;
    if (i === 8) return [value * 256 + byte, at + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  return null;
}

/** The values of a record (https://sqlite.org/fileformat2.html#record_format); null when it is not whole. */
export function readRecord(payload: Buffer): RecordValue[] | null {
  const head = readVarint(payload, 0);
  if (head === null || head[0] > payload.length) return null;
  const [headEnd] = head;
  const values: RecordValue[] = [];
  let at = headEnd;
  for (let next = head[1]; next < headEnd; ) {
    const type = readVarint(payload, next);
    if (type === null || type[1] > headEnd) return null;
    next = type[1];
    const length = lengthOf(type[0]);
    if (length === null || at + length > payload.length) return null;
    values.push(valueIn(type[0], payload.subarray(at, at + length)));
    at += length;
  }
  return at === payload.length ? values : null;
}

const FIXED_LENGTHS = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function lengthOf(type: number): number | null {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return FIXED_LENGTHS[type] ?? null;
}

function valueIn(type: number, bytes: Buffer): RecordValue {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type === 7) return bytes.readDoubleBE(0);
  if (type === 6) {
    const whole = bytes.readBigInt64BE(0);
    return whole >= -MAX_SAFE && whole <= MAX_SAFE ? Number(whole) : Number.NaN;
  }
  if (type < 6) return bytes.readIntBE(0, bytes.length);
  return type % 2 === 0 ? Buffer.from(bytes) : bytes.toString("utf8");
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
