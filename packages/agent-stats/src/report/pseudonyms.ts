import { assertGiven, isIterable, isObject } from "../record/given.ts";

/** Of RFC 4648, in small letters: easy to read aloud and to select with a double click. */
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const PREFIX = "srv-";
/** 40 bits: among 1 000 servers, two share one in fewer than 1 of 2 000 000 reports. */
const LENGTH = 8;
const KEY_BYTES = 32;

/** What a pseudonym looks like. */
export const PSEUDONYM = /^srv-[a-z2-7]{8}$/;

/** A key for one report, or for the reports of one case. It is kept in the encrypted database, and nowhere else. */
export function newReportKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(KEY_BYTES));
}

/** Turns names into pseudonyms under one report's key. */
export interface Pseudonyms {
  /** The same server has one pseudonym in all protocols and for all users. */
  server(server: string): Promise<string>;
  /** Users in an order that tells nothing about them, and is the same in all reports under this key. */
  shuffled(users: Iterable<string>): Promise<string[]>;
  /** The same in all reports under this key, and in no other. */
  mark(): Promise<string>;
}

/** @throws TypeError when the key is not 32 bytes */
export async function pseudonyms(key: Uint8Array): Promise<Pseudonyms> {
  const isKey = key instanceof Uint8Array && key.length === KEY_BYTES;
  assertGiven(isKey, "a report's key is 32 bytes: newReportKey() makes one");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const hmacKey = await crypto.subtle.importKey("raw", Uint8Array.from(key), algorithm, false, ["sign"]);
  // What is signed says what it is: a user who is called like a server has nothing in common with it.
  const mac = async (what: "server" | "user" | "mark", name: string) =>
    new Uint8Array(await crypto.subtle.sign("HMAC", hmacKey, new TextEncoder().encode(`${what}\0${name}`)));
  return {
    server: async (server) => PREFIX + base32(await mac("server", server)),
    mark: async () => base32(await mac("mark", "")),
    async shuffled(users) {
      const placed = await Promise.all(
        [...users].map(async (user) => ({ user, place: base32(await mac("user", user)) })),
      );
      return placed.sort((a, b) => (a.place < b.place ? -1 : 1)).map(({ user }) => user);
    },
  };
}

function base32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes.subarray(0, (LENGTH * 5) / 8)) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: LENGTH }, (_, i) => BASE32[Number((bits >> BigInt(5 * (LENGTH - 1 - i))) & 31n)]).join(
    "",
  );
}

/** The key of a report that was made, as the store keeps it. */
export interface KeptReportKey {
  /** When the report was made, ms since 1970. */
  readonly made: number;
  readonly key: Uint8Array;
  readonly caseId: string | null;
}

/** A server that a pseudonym stands for, in a report of this machine. */
export interface ResolvedServer extends Omit<KeptReportKey, "key"> {
  readonly server: string;
}

/**
 * Which server a pseudonym stands for: what the user can find out, and nobody without the database. Empty where none of
 * the kept keys makes it of a server that is still known; more than one where, very rarely, two servers share it.
 *
 * @param keys `await store.reportKeys()`
 * @param servers every server in the statistics
 * @throws TypeError when they are no lists, or a key is none
 */
export async function resolvePseudonym(
  pseudonym: string,
  keys: Iterable<KeptReportKey>,
  servers: Iterable<string>,
): Promise<ResolvedServer[]> {
  assertGiven(isIterable(keys), "keys must be those that reportKeys tells");
  const known = new Set<string>(isIterable(servers) ? servers : []);
  const areNames = isIterable(servers) && [...known].every((server) => typeof server === "string");
  assertGiven(areNames, "servers must be a list of names");
  const found: ResolvedServer[] = [];
  for (const kept of keys) {
    assertGiven(isObject(kept), "keys must be those that reportKeys tells");
    const { key, made, caseId } = kept;
    const names = await pseudonyms(key);
    for (const server of known) {
      if ((await names.server(server)) === pseudonym) found.push({ server, made, caseId });
    }
  }
  return found;
}
