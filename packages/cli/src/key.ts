import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { StatsKey } from "agent-stats/sqlcipher";
import { CliError } from "./errors.ts";
import type { KeyFlags } from "./flags.ts";

/** Far more than any key; a file that goes on is none, and /dev/zero never ends. */
const LONGEST_BYTES = 4_096;

export interface FoundKey {
  readonly key: StatsKey;
  /** True when other users of this machine can get at the file. */
  readonly openToOthers: boolean;
}

/**
 * Reads the key from where the flags say, or asks for it on a terminal. Never from a flag's value or from the
 * environment: others can read those.
 *
 * @throws CliError `USAGE`, `KEY_FILE_UNREADABLE`, `STATS_KEY_INVALID`, `KEYCHAIN_…`, `CANCELLED`; no message holds
 * anything of what was read
 */
export async function findKey({ keyFile, passphraseFile, keychain }: KeyFlags): Promise<FoundKey> {
  const given = [keyFile, passphraseFile, keychain].filter((flag) => flag !== undefined);
  if (given.length > 1) {
    throw new CliError("USAGE", "There can be one key only: give --key-file, --passphrase-file or --keychain.");
  }
  if (keychain !== undefined) {
    const { keyFromKeychain } = await import("./keychain.ts");
    return { key: await keyFromKeychain(keychain), openToOthers: false };
  }
  const path = keyFile ?? passphraseFile;
  if (path === undefined) return { key: await askedKey(), openToOthers: false };
  const { bytes, openToOthers } = path === "-" ? await readStdin() : readKeyFile(path);
  return { key: keyFile === undefined ? passphraseIn(bytes) : keyIn(bytes), openToOthers };
}

async function askedKey(): Promise<StatsKey> {
  const { askForKey, canAsk } = await import("./prompts.ts");
  if (canAsk()) return askForKey();
  throw new CliError("USAGE", "The key is needed: give --key-file FILE, --passphrase-file FILE or --keychain SERVICE.");
}

/** A raw key: exactly 32 bytes, or 64 hex digits with any white space around them. */
export function keyIn(bytes: Buffer): StatsKey {
  if (bytes.length === 32) return bytes;
  const text = bytes.toString("utf8").trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return text;
  throw new CliError(
    "STATS_KEY_INVALID",
    "The key file must hold 64 hex digits or exactly 32 bytes; a passphrase goes into --passphrase-file.",
  );
}

/** A passphrase: the whole text but for the line's end that editors and `echo` add. */
export function passphraseIn(bytes: Buffer): StatsKey {
  const text = bytes.toString("utf8");
  // Bytes that are no UTF-8 would silently become another passphrase.
  const passphrase = Buffer.from(text).equals(bytes) ? text.replace(/\r?\n$/, "") : "";
  if (passphrase === "") throw new CliError("STATS_KEY_INVALID", "The passphrase file must hold one, as UTF-8 text.");
  return { passphrase };
}

interface Content {
  readonly bytes: Buffer;
  readonly openToOthers: boolean;
}

function readKeyFile(path: string): Content {
  let fd: number | null = null;
  try {
    fd = openSync(path, "r");
    const stat = fstatSync(fd);
    // Windows has other rights, and shows these as open to all.
    const openToOthers = process.platform !== "win32" && stat.isFile() && (stat.mode & 0o077) !== 0;
    return { bytes: readUpTo(fd, LONGEST_BYTES), openToOthers };
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** A pipe, such as bash's `<(pass show key)`, gives what it has in pieces. */
function readUpTo(fd: number, limit: number): Buffer {
  const buffer = Buffer.alloc(limit + 1);
  let length = 0;
  for (;;) {
    const read = readSync(fd, buffer, length, buffer.length - length, null);
    length += read;
    if (length > limit) throw tooLong();
    if (read === 0) return buffer.subarray(0, length);
  }
}

async function readStdin(): Promise<Content> {
  if (process.stdin.isTTY) {
    throw new CliError("USAGE", "A key that is typed here would be shown: pipe it in, or name a file.");
  }
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of process.stdin) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > LONGEST_BYTES) throw tooLong();
    }
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(error);
  }
  return { bytes: Buffer.concat(chunks), openToOthers: false };
}

function tooLong(): CliError {
  return new CliError(
    "STATS_KEY_INVALID",
    "The key file is too long to be one: name the file that holds the key alone.",
  );
}

/** Without the path: whoever mistakes the flag for the key itself would read it in a log. */
function unreadable(error: unknown): CliError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return new CliError("KEY_FILE_UNREADABLE", WHY_UNREADABLE[code] ?? "The key file cannot be read.");
}

const WHY_UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "There is no key file at this path: name the file that holds the key.",
  ENOTDIR: "There is no key file at this path: name the file that holds the key.",
  EISDIR: "The key file is a folder: name the file that holds the key.",
  EACCES: "The key file cannot be read by this user: become the user who owns it.",
  EPERM: "The key file cannot be read by this user: become the user who owns it.",
};
