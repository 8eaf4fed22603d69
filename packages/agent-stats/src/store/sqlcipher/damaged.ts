import { codeOf } from "../sqlite/handle.ts";
import { setAside } from "./aside.ts";
import { underLock } from "./create.ts";
import { type DriverName, loadDriver } from "./drivers.ts";
import type { FindingCode } from "./examine/findings.ts";
import { assertIsFile, verify } from "./examine/verify.ts";
import { statOf } from "./pages/outside.ts";
import { stampOf } from "./pages/stamp.ts";

/** What a damaged file can look like. A disk that fails to read, and another key, can look the same. */
const SUSPECT = /^STATS_(DAMAGED|KEY_REJECTED|NOT_A_DATABASE|EMPTY_FILE)$/;

/** With these, no later look makes the file well. */
const PROOFS: ReadonlySet<FindingCode> = new Set([
  "page-damaged",
  "pages-missing",
  "file-emptied",
  "wal-damaged",
  "wal-of-another-moment",
  "structure",
]);

export interface DamagedOptions {
  readonly file: string;
  readonly keyLiteral: string;
  readonly driver: DriverName | undefined;
}

/**
 * Moves the file aside when the error that a call met was its damage: proven by pages that authenticate with this key,
 * beside others that do not, looked at again and again. A file that nobody can tell from one of another key stays.
 *
 * @returns a function that is given the code of the error, and answers whether the file was moved, by whomever
 */
export function moveAsideIfDamaged(options: DamagedOptions): (code: string) => boolean {
  // What was not proven once is not looked at again before it changes.
  let unproven: string | null = null;
  return (code) => {
    if (!SUSPECT.test(code)) return false;
    const stamp = stampOf(options.file);
    if (stamp === null || stamp === unproven) return false;
    const isProven = look(options);
    if (isProven === false) unproven = stamp;
    if (!isProven) return false;
    return underLock(loadDriver(options.driver), options.file, () => {
      // Another process may have moved it already, and begun the next one.
      if (stampOf(options.file) === stamp) setAside(options.file);
      return true;
    });
  };
}

/** Null where a disk that fails, or others who never rest, keep it from being known. */
function look(options: DamagedOptions): boolean | null {
  try {
    return verify(options).findings.some(({ code, isCertain }) => isCertain && PROOFS.has(code));
  } catch (error) {
    if (/^STATS_(STORE_FAILED|BUSY|DISK_FULL)$/.test(codeOf(error))) return null;
    // This library never leaves a file without bytes at its name: whoever did, there is nothing in it to be lost.
    return codeOf(error) === "STATS_EMPTY_FILE" && statOf(options.file)?.size === 0;
  }
}

/** Moves a file aside because somebody says so, whatever it is. See `moveAside`. */
export function moveAsideNow(file: string, driver: DriverName | undefined): string {
  return underLock(loadDriver(driver), file, () => {
    assertIsFile(file);
    return setAside(file);
  });
}
