import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * What this process has handed to the system to be written, in bytes, by all of its threads: pages of the WAL, and those
 * that a checkpoint writes a second time into the file. Null where the system does not tell.
 */
export function bytesWritten(): number | null {
  return counted("wchar");
}

/** Whole pages that files have got. Threads wake each other by writing a few bytes to no file: those are not in it. */
export function bytesOfFiles(): number | null {
  return counted("write_bytes");
}

function counted(name: string): number | null {
  try {
    const found = new RegExp(`^${name}: (\\d+)$`, "m").exec(readFileSync("/proc/self/io", "utf8"));
    return found ? Number(found[1]) : null;
  } catch {
    return null;
  }
}

/** A folder that is gone when `body` is over. */
export async function inFolder<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "agent-stats-bench-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function sizeOf(file: string): number {
  return statSync(file).size;
}

/** A raw key, so that opening costs no derivation. */
export const KEY = Buffer.alloc(32, 7);
