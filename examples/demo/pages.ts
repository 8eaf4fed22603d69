/**
 * Decrypts the pages of a SQLCipher 4 database by hand, free pages and leftovers included. Asking SQLite would prove
 * nothing: it does not show what a deletion left behind.
 *
 * Format: pages of 4 096 bytes. The last 80 of each are the IV (16) and an HMAC-SHA512 (64) over what is encrypted, the
 * IV and the page's number. Page 1 begins with the salt (16), unencrypted. A raw key is the AES-256 key as it is; the
 * HMAC's key is derived from it. https://www.zetetic.net/sqlcipher/design/
 */

import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

const PAGE_BYTES = 4_096;
const SALT_BYTES = 16;
const IV_BYTES = 16;
const HMAC_BYTES = 64;
/** SQLCipher derives the HMAC's key from the salt with every byte changed by this. */
const HMAC_SALT_MASK = 0x3a;
const HMAC_KEY_ROUNDS = 2;

/** A write-ahead log: a header, then frames of a header and a page as it stands in the file. */
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Every page of the database and of its write-ahead log, decrypted.
 *
 * @param key 64 hex digits
 * @throws Error when a page proves not to be what the key's owner wrote: then a search in it would find nothing
 */
export function decryptPages(file: string, key: string): Buffer[] {
  const bytes = readFileSync(file);
  const salt = bytes.subarray(0, SALT_BYTES);
  const aesKey = Buffer.from(key, "hex");
  const hmacSalt = salt.map((byte) => byte ^ HMAC_SALT_MASK);
  const hmacKey = pbkdf2Sync(aesKey, hmacSalt, HMAC_KEY_ROUNDS, aesKey.length, "sha512");
  return [...pagesOf(bytes), ...framesOf(`${file}-wal`)].map(({ number, page }) => {
    // The system fills what was never written with zeros.
    if (page.every((byte) => byte === 0)) return page;
    const start = number === 1 ? SALT_BYTES : 0;
    const ivAt = PAGE_BYTES - IV_BYTES - HMAC_BYTES;
    const hmacAt = PAGE_BYTES - HMAC_BYTES;
    const pageNumber = Buffer.alloc(4);
    pageNumber.writeUInt32LE(number);
    const hmac = createHmac("sha512", hmacKey).update(page.subarray(start, hmacAt)).update(pageNumber).digest();
    if (!timingSafeEqual(hmac, page.subarray(hmacAt))) throw new Error(`page ${number} cannot be decrypted`);
    const decipher = createDecipheriv("aes-256-cbc", aesKey, page.subarray(ivAt, hmacAt)).setAutoPadding(false);
    return Buffer.concat([decipher.update(page.subarray(start, ivAt)), decipher.final()]);
  });
}

interface NumberedPage {
  readonly number: number;
  readonly page: Buffer;
}

function pagesOf(bytes: Buffer): NumberedPage[] {
  if (bytes.length === 0 || bytes.length % PAGE_BYTES !== 0)
    throw new Error("the file does not consist of whole pages");
  return Array.from({ length: bytes.length / PAGE_BYTES }, (_none, index) => ({
    number: index + 1,
    page: bytes.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES),
  }));
}

function framesOf(wal: string): NumberedPage[] {
  const bytes = existsSync(wal) ? readFileSync(wal) : Buffer.alloc(0);
  const frameBytes = FRAME_HEADER_BYTES + PAGE_BYTES;
  const count = Math.max(0, Math.floor((bytes.length - WAL_HEADER_BYTES) / frameBytes));
  return Array.from({ length: count }, (_none, index) => {
    const at = WAL_HEADER_BYTES + index * frameBytes;
    const page = bytes.subarray(at + FRAME_HEADER_BYTES, at + frameBytes);
    return { number: bytes.readUInt32BE(at), page };
  });
}
