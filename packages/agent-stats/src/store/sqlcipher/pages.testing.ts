/** For tests of what a file still holds: its pages, decrypted as the format says, without any help of SQLite. */
import { createDecipheriv } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

/** SQLCipher 4: AES-256-CBC, pages of this size, whose last bytes are an IV and an HMAC-SHA512. */
const PAGE = 4_096;
const IV = 16;
const RESERVED = IV + 64;
/** The first page begins with the salt, which is not encrypted. */
const SALT = 16;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;

/** Every page of a database and of its WAL in plaintext, older versions of pages and what follows them included. */
export function decryptedPages(file: string, key: string): Buffer[] {
  const bytes = readFileSync(file);
  const pages: Buffer[] = [];
  for (let at = 0, number = 1; at + PAGE <= bytes.length; at += PAGE, number++) {
    pages.push(decrypted(bytes.subarray(at, at + PAGE), number, key));
  }
  const wal = existsSync(`${file}-wal`) ? readFileSync(`${file}-wal`) : Buffer.alloc(0);
  for (let at = WAL_HEADER; at + FRAME_HEADER + PAGE <= wal.length; at += FRAME_HEADER + PAGE) {
    const page = wal.subarray(at + FRAME_HEADER, at + FRAME_HEADER + PAGE);
    pages.push(decrypted(page, wal.readUInt32BE(at), key));
  }
  return pages;
}

function decrypted(page: Buffer, number: number, key: string): Buffer {
  const end = PAGE - RESERVED;
  const cipher = createDecipheriv("aes-256-cbc", Buffer.from(key, "hex"), page.subarray(end, end + IV));
  cipher.setAutoPadding(false);
  return cipher.update(page.subarray(number === 1 ? SALT : 0, end));
}
