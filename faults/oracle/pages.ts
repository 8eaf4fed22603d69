/**
 * Decrypts a SQLCipher 4 database by hand: file, write-ahead log and rollback journal, free pages and what is left over
 * included. Asking SQLite would prove nothing: it does not show what a deletion left behind.
 *
 * Format: pages of 4 096 bytes. The last 80 of each are the IV (16) and an HMAC-SHA512 (64) over what is encrypted, the
 * IV and the page's number. Page 1 begins with the salt (16), unencrypted. A raw key is the AES-256 key as it is; the
 * HMAC's key is derived from it. https://www.zetetic.net/sqlcipher/design/
 */
import { createDecipheriv, createHmac, createSecretKey, type KeyObject, pbkdf2Sync } from "node:crypto";
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

/** A rollback journal: a header as long as a sector, then records of a page's number, the page, a checksum. */
const JOURNAL_SECTOR_AT = 20;
const JOURNAL_HEADER_BYTES = 28;
const SECTOR_BYTES = 512;

export interface DecryptedPages {
  /** Of the file, the log and the journal, each as it can be read with the key. */
  readonly pages: readonly Buffer[];
  /** Counts the pages that are not what the key's owner wrote: torn, of another database. They were decrypted all the same. */
  unproven(): number;
}

/**
 * Every page of a database, decrypted.
 *
 * @param key 64 hex digits
 */
export function decryptPages(file: string, key: string): DecryptedPages {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const aesKey = Buffer.from(key, "hex");
  const keyObject = createSecretKey(aesKey);
  const hmacSalt = bytes.subarray(0, SALT_BYTES).map((byte) => byte ^ HMAC_SALT_MASK);
  const hmacKey = pbkdf2Sync(aesKey, hmacSalt, HMAC_KEY_ROUNDS, aesKey.length, "sha512");
  const found = [...pagesOf(bytes), ...framesOf(`${file}-wal`), ...recordsOf(`${file}-journal`)];
  // What was never written is all zeros.
  const written = found.filter(({ page }) => page.some((byte) => byte !== 0));
  return {
    pages: written.map((each) => decrypted(each, keyObject)),
    unproven: () => written.filter((each) => !isProven(each, hmacKey)).length,
  };
}

interface NumberedPage {
  readonly number: number;
  readonly page: Buffer;
}

const startOf = ({ number }: NumberedPage) => (number === 1 ? SALT_BYTES : 0);

function decrypted(numbered: NumberedPage, aesKey: KeyObject): Buffer {
  const ivAt = PAGE_BYTES - IV_BYTES - HMAC_BYTES;
  const iv = numbered.page.subarray(ivAt, ivAt + IV_BYTES);
  const decipher = createDecipheriv("aes-256-cbc", aesKey, iv).setAutoPadding(false);
  return decipher.update(numbered.page.subarray(startOf(numbered), ivAt));
}

function isProven(numbered: NumberedPage, hmacKey: Buffer): boolean {
  const hmacAt = PAGE_BYTES - HMAC_BYTES;
  const pageNumber = Buffer.alloc(4);
  pageNumber.writeUInt32LE(numbered.number);
  const { page } = numbered;
  const hmac = createHmac("sha512", hmacKey)
    .update(page.subarray(startOf(numbered), hmacAt))
    .update(pageNumber);
  return hmac.digest().equals(page.subarray(hmacAt));
}

function pagesOf(bytes: Buffer): NumberedPage[] {
  return Array.from({ length: Math.floor(bytes.length / PAGE_BYTES) }, (_, index) => ({
    number: index + 1,
    page: bytes.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES),
  }));
}

function framesOf(wal: string): NumberedPage[] {
  return partsOf(wal, WAL_HEADER_BYTES, FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + PAGE_BYTES);
}

function recordsOf(journal: string): NumberedPage[] {
  const header = existsSync(journal) ? readFileSync(journal).subarray(0, JOURNAL_HEADER_BYTES) : Buffer.alloc(0);
  if (header.length < JOURNAL_HEADER_BYTES) return [];
  return partsOf(journal, header.readUInt32BE(JOURNAL_SECTOR_AT) || SECTOR_BYTES, 4, 4 + PAGE_BYTES + 4);
}

/** Parts of equal length after a header; each begins with its page's number, and holds the page at some place. */
function partsOf(path: string, headerBytes: number, pageAt: number, partBytes: number): NumberedPage[] {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const count = Math.max(0, Math.floor((bytes.length - headerBytes) / partBytes));
  return Array.from({ length: count }, (_, index) => {
    const at = headerBytes + index * partBytes;
    const page = bytes.subarray(at + pageAt, at + pageAt + PAGE_BYTES);
    return { number: bytes.readUInt32BE(at), page };
  });
}
