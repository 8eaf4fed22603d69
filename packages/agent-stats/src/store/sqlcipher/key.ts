import { StatsError } from "../errors.ts";

/**
 * What opens the file: 32 random bytes, the same as 64 hex digits, or a passphrase (which costs 100 ms at every start,
 * as SQLCipher stretches it, and some 400 ms at one after a kill).
 */
export type StatsKey = Uint8Array | string | { readonly passphrase: string };

const HEX_KEY = /^[0-9a-f]{64}$/i;
/** SQLCipher takes a passphrase that looks like this for a raw key. */
const LOOKS_RAW = /^x'.*'$/i;

/**
 * The key as `PRAGMA key` takes it.
 *
 * @throws StatsError `STATS_KEY_INVALID`: SQLCipher itself would silently take a key of the wrong length for a
 * passphrase, and the file could then be opened by nobody who follows the documentation
 */
export function keyLiteral(key: StatsKey): string {
  if (key instanceof Uint8Array && key.length === 32) return `"x'${hexOf(key)}'"`;
  if (typeof key === "string" && HEX_KEY.test(key)) return `"x'${key}'"`;
  const passphrase = (key as { passphrase?: unknown } | null)?.passphrase;
  if (typeof passphrase === "string" && passphrase !== "" && !/\0/.test(passphrase) && !LOOKS_RAW.test(passphrase)) {
    return `'${passphrase.replaceAll("'", "''")}'`;
  }
  throw new StatsError("STATS_KEY_INVALID", "The key must be 32 bytes, 64 hex digits, or { passphrase }.");
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
