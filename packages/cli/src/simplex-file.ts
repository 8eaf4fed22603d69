import { closeSync, openSync, readSync } from "node:fs";
import { CliError } from "./errors.ts";

const HEAD_BYTES = 4_096;

/**
 * Whether a file is a database, by its first page: an encrypted one is noise, which is never text, and one that is not
 * encrypted says what it is. All else is taken for JSON.
 *
 * @throws CliError `IMPORT_UNREADABLE`
 */
export function isSimplexDatabase(file: string): boolean {
  const head = headOf(file);
  // A character may be cut in two at the end.
  const text = head.subarray(0, head.length - 3);
  return head.toString("latin1").startsWith("SQLite format 3\0") || !isText(text);
}

function isText(bytes: Buffer): boolean {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return !text.includes("\0");
  } catch {
    return false;
  }
}

function headOf(file: string): Buffer {
  let fd: number | null = null;
  try {
    fd = openSync(file, "r");
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new CliError("IMPORT_UNREADABLE", WHY[code] ?? "it cannot be read.");
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file.",
  ENOTDIR: "there is no such file.",
  EISDIR: "it is a folder.",
  EACCES: "it cannot be read by this user: become the user who owns it.",
  EPERM: "it cannot be read by this user: become the user who owns it.",
};
