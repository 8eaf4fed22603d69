/** What stands in the memory of this process, and so in a core file of it: no promise is made of that, and it is told. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Larger ones are reserved rather than used. */
const LARGEST_BYTES = 1 << 27;

/** In how many regions of its own memory a text stands. Null where the system does not let a process look. */
export function regionsHolding(text: string): number | null {
  try {
    const maps = readFileSync("/proc/self/maps", "utf8").split("\n");
    return maps.filter((line) => holds(line, text)).length;
  } catch {
    return null;
  }
}

function holds(line: string, text: string): boolean {
  const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
  if (from === undefined || to === undefined) return false;
  const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
  if (end - start > LARGEST_BYTES) return false;
  const bytes = Buffer.alloc(end - start);
  const memory = openSync("/proc/self/mem", "r");
  try {
    readSync(memory, bytes, 0, bytes.length, start);
    return bytes.includes(text);
  } catch {
    return false;
  } finally {
    closeSync(memory);
  }
}
