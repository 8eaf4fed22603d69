/** What must be found nowhere once its user is erased: servers and the user, as SQLite could have written them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { foundIn, type Needle } from "../../oracle/canary.ts";
import { decryptPages } from "../../oracle/pages.ts";
import type { History, UserId } from "./history.ts";

export interface Found {
  /** How many pages there are, and in how many of them a server of the user stands, or the user. */
  readonly pages: number;
  readonly servers: number;
  readonly user: number;
}

/** Every server holds the tag every few bytes, so that one that is spread over pages, or half overwritten, is found. */
function needlesOf({ victim, tag }: Pick<History, "victim" | "tag">) {
  return { servers: [{ what: "server", bytes: Buffer.from(`${tag}-`) }], user: needlesOfUser(victim, tag) };
}

/** A number is kept as text; in a column without a type it would be an integer of six or eight bytes, or a double. */
function needlesOfUser(victim: UserId, tag: string): Needle[] {
  // In a long name the tag stands without the dash that follows it in servers.
  if (typeof victim === "string") {
    const end = `user-zq7canary-${tag}`;
    return [
      { what: "user", bytes: Buffer.from(end) },
      { what: "user", bytes: Buffer.from(`${tag}${tag}`) },
    ];
  }
  const integer = Buffer.alloc(8);
  integer.writeBigInt64BE(BigInt(victim));
  const double = Buffer.alloc(8);
  double.writeDoubleBE(victim);
  return [Buffer.from(String(victim)), integer.subarray(2), integer, double].map((bytes) => ({ what: "user", bytes }));
}

/** Looks in every page of database, log and journal. */
export function findIn(file: string, key: string, history: Pick<History, "victim" | "tag">): Found {
  return foundInPages(decryptPages(file, key).pages, history);
}

/** The same in every database of a folder: copies that were moved aside too, and whatever else stands there. */
export function findBelow(folder: string, key: string, history: Pick<History, "victim" | "tag">): Found {
  const files = readdirSync(folder).filter((name) => !/-(wal|shm|journal)$/.test(name));
  return foundInPages(
    files.flatMap((name) => decryptPages(join(folder, name), key).pages),
    history,
  );
}

function foundInPages(pages: readonly Buffer[], history: Pick<History, "victim" | "tag">): Found {
  const { servers, user } = needlesOf(history);
  const holding = (needles: readonly Needle[]) => pages.filter((page) => foundIn(page, needles).length > 0).length;
  return { pages: pages.length, servers: holding(servers), user: holding(user) };
}
