/**
 * Between groups of three digits: a narrow space, as ISO 80000-1 asks for. It is one that does not break, so a number
 * stays one word to whoever copies it, or cuts columns with awk.
 */
const GROUP = "\u202f";

/** A whole number, in groups of three digits. */
export function formatCount(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, GROUP);
}

/** Powers of 1000, as networks and disks are sold and as phones show them. */
const BYTE_UNITS = ["kB", "MB", "GB", "TB", "PB"] as const;

/** A number of bytes, in three digits: `512 B`, `1.23 kB`, `12.3 MB`. */
export function formatBytes(value: number): string {
  if (value < 1000) return `${value} B`;
  let scaled = value;
  let unit = "B";
  for (const next of BYTE_UNITS) {
    // Not 1000: what would be rounded to it belongs to the next unit.
    if (scaled < 999.5) break;
    scaled /= 1000;
    unit = next;
  }
  const digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return `${scaled.toFixed(digits)} ${unit}`;
}

/** The file holds the names of counters only, so the name has to tell that it counts bytes. */
export function countsBytes(counter: string): boolean {
  return counter.startsWith("bytes") || /(Bytes|Size)$/.test(counter);
}

/** A counter's value in its unit. */
export function formatValue(counter: string, value: number): string {
  return countsBytes(counter) ? formatBytes(value) : formatCount(value);
}
