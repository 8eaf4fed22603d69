import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  pbkdf2Sync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/** SQLCipher 4: AES-256-CBC, pages of this size, whose last bytes are an IV and an HMAC-SHA512. */
export const PAGE_BYTES = 4_096;
const IV_BYTES = 16;
const HMAC_BYTES = 64;
const KEY_BYTES = 32;
/** Where the encrypted part of a page ends. */
export const USABLE_BYTES = PAGE_BYTES - IV_BYTES - HMAC_BYTES;
/** The first page begins with the salt in place of SQLite's magic text. */
export const SALT_BYTES = 16;
const MAGIC = Buffer.from("SQLite format 3\0", "latin1");

/** What SQLCipher 4 derives keys with; the second is cheap, as the first made the key strong. */
const PASSPHRASE_ROUNDS = 256_000;
const HMAC_KEY_ROUNDS = 2;
const HMAC_SALT_MASK = 0x3a;

/** As objects of Node.js, which it would make anew of bytes for every page: on Node.js 24 that takes longer than the page. */
export interface PageKeys {
  readonly cipher: KeyObject;
  readonly hmac: KeyObject;
  /** What they were derived with. */
  readonly salt: Buffer;
}

/** The keys of a file's pages, from the key as `PRAGMA key` takes it and the salt at the file's beginning. */
export function pageKeys(keyLiteral: string, salt: Buffer): PageKeys {
  const raw = /^"x'([0-9a-f]{64})'"$/i.exec(keyLiteral)?.[1];
  const passphrase = keyLiteral.slice(1, -1).replaceAll("''", "'");
  const cipher =
    raw === undefined ? pbkdf2Sync(passphrase, salt, PASSPHRASE_ROUNDS, KEY_BYTES, "sha512") : Buffer.from(raw, "hex");
  const masked = salt.map((byte) => byte ^ HMAC_SALT_MASK);
  const hmac = pbkdf2Sync(cipher, masked, HMAC_KEY_ROUNDS, KEY_BYTES, "sha512");
  return { cipher: createSecretKey(cipher), hmac: createSecretKey(hmac), salt };
}

/** A page in plaintext, as SQLite sees it; null when not every byte of it is as it was written at this place. */
export function openPage(page: Buffer, number: number, keys: PageKeys): Buffer | null {
  if (page.length !== PAGE_BYTES) return null;
  const isWhole = timingSafeEqual(hmacOf(page, startOf(number), number, keys), page.subarray(PAGE_BYTES - HMAC_BYTES));
  return isWhole ? decryptPage(page, number, keys) : null;
}

/** The same of a whole page that nobody vouches for. */
export function decryptPage(page: Buffer, number: number, keys: PageKeys): Buffer {
  const start = startOf(number);
  const cipher = createDecipheriv("aes-256-cbc", keys.cipher, page.subarray(USABLE_BYTES, USABLE_BYTES + IV_BYTES));
  cipher.setAutoPadding(false);
  const plain = Buffer.alloc(PAGE_BYTES);
  cipher.update(page.subarray(start, USABLE_BYTES)).copy(plain, start);
  if (number === 1) MAGIC.copy(plain);
  return plain;
}

function startOf(number: number): number {
  return number === 1 ? SALT_BYTES : 0;
}

/** The opposite, with an IV of its own. */
export function sealPage(plain: Buffer, number: number, keys: PageKeys, salt: Buffer): Buffer {
  const start = startOf(number);
  const page = Buffer.alloc(PAGE_BYTES);
  if (number === 1) salt.copy(page);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-cbc", keys.cipher, iv);
  cipher.setAutoPadding(false);
  cipher.update(plain.subarray(start, USABLE_BYTES)).copy(page, start);
  iv.copy(page, USABLE_BYTES);
  hmacOf(page, start, number, keys).copy(page, PAGE_BYTES - HMAC_BYTES);
  return page;
}

function hmacOf(page: Buffer, start: number, number: number, keys: PageKeys): Buffer {
  const place = Buffer.alloc(4);
  place.writeUInt32LE(number);
  return createHmac("sha512", keys.hmac)
    .update(page.subarray(start, PAGE_BYTES - HMAC_BYTES))
    .update(place)
    .digest();
}
