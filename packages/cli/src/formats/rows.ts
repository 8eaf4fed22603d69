import type { ServersStats } from "agent-stats";
import { byUserServerProtocol } from "../text/sorting.ts";

/** One counter of one key. */
export interface Row {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
  readonly trackedSince: Date | null;
  readonly counter: string;
  readonly past: number;
  readonly session: number;
  readonly overall: number;
}

/** Every counter, in the order in which `show` has them. */
export function rowsOf({ servers }: ServersStats): Row[] {
  return servers.toSorted(byUserServerProtocol).flatMap((key) => {
    const { protocol, userId, server, trackedSince, past, session, overall } = key;
    const value = (numbers: Readonly<Record<string, number>>, name: string) =>
      Object.hasOwn(numbers, name) ? (numbers[name] ?? 0) : 0;
    return Object.keys(overall)
      .sort()
      .map((counter) => ({
        protocol,
        userId,
        server,
        trackedSince,
        counter,
        past: value(past, counter),
        session: value(session, counter),
        overall: value(overall, counter),
      }));
  });
}

/** One JSON object a line, as `jq` and log tools read them. */
export function toNdjson(stats: ServersStats): string {
  return rowsOf(stats)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join("");
}

const COLUMNS = ["protocol", "userId", "server", "trackedSince", "counter", "past", "session", "overall"] as const;

/** RFC 4180: commas, CRLF, quotes where they are needed. */
export function toCsv(stats: ServersStats): string {
  const lines = rowsOf(stats).map((row) =>
    COLUMNS.map((column) => {
      const value = row[column];
      return field(value instanceof Date ? value.toISOString() : String(value ?? ""));
    }).join(","),
  );
  return [COLUMNS.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

/** A name that begins like a formula would be one to a spreadsheet: names of servers come from other people. */
const FORMULA = /^[=+\-@\t\r]/;

function field(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
