/** The files that older versions wrote, committed and never made again, and what those versions read in them. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { DriverName } from "agent-stats/sqlcipher";
import type { SqliteHandle } from "agent-stats/sqlite";
import { CANARIES, type Needle, needlesOfKey, needlesOfText } from "../../oracle/canary.ts";
import { databaseClass } from "../../oracle/drivers.ts";
import { added } from "../../remote/host.ts";
import { KEY } from "./orders.ts";

const PACKAGE = createRequire(import.meta.url).resolve("agent-stats/package.json");
const FOLDER = join(dirname(PACKAGE), "fixtures");

interface Key {
  readonly protocol: string;
  readonly userId: string;
  readonly server: string;
}

/** Sums by `protocol user server counter`, with the hour before it where hours are told apart. */
export type Sums = ReadonlyMap<string, number>;

export interface ExpectedSession {
  readonly session: number;
  readonly started: number;
  readonly ended: number | null;
  readonly how: string | null;
}

export interface Fixture {
  readonly schema: string;
  readonly name: string;
  readonly sums: Sums;
  readonly hours: Sums;
  readonly sessions: readonly ExpectedSession[];
}

interface Expected {
  readonly sums: {
    readonly sessions: readonly ExpectedSession[];
    readonly keys: readonly (Key & { readonly key: number; readonly past?: Numbers; readonly open?: Numbers })[];
    /** Of versions whose port told each counter in a row of its own; later ones tell them with their keys. */
    readonly sums?: readonly { key: number; counter: string; past: number; open: number }[];
  };
  readonly hours: readonly (Key & { hour: number; counter: string; value: number; counters?: Numbers })[];
}

type Numbers = Readonly<Record<string, number>>;

export const nameOf = ({ protocol, userId, server }: Key, counter: string) =>
  JSON.stringify([protocol, userId, server, counter]);

/** Every fixture of every schema that was ever released. */
export function allFixtures(): Fixture[] {
  return readdirSync(FOLDER)
    .filter((schema) => schema.startsWith("schema-"))
    .flatMap((schema) => {
      const expected = JSON.parse(readFileSync(join(FOLDER, schema, "expected.json"), "utf8")) as Record<
        string,
        Expected
      >;
      return Object.entries(expected).map(([name, of]) => fixtureOf(schema, name, of));
    });
}

function fixtureOf(schema: string, name: string, { sums, hours }: Expected): Fixture {
  const keys = new Map(sums.keys.map((key) => [key.key, key]));
  const ofRows = sums.sums?.map(({ key, counter, past, open }) =>
    named(keys.get(key) as Key, { [counter]: past + open }),
  );
  const ofKeys = sums.keys.flatMap(({ past = {}, open = {}, ...key }) => [named(key, past), named(key, open)]);
  return {
    schema,
    name,
    sums: added(...(ofRows ?? ofKeys)),
    hours: added(
      ...hours.map(({ hour, counter, value, counters = { [counter]: value }, ...key }) => {
        return new Map([...named(key, counters)].map(([name, n]) => [`${hour} ${name}`, n]));
      }),
    ),
    sessions: sums.sessions,
  };
}

const named = (key: Key, counters: Numbers): Sums =>
  new Map(Object.entries(counters).map(([counter, n]) => [nameOf(key, counter), n]));

/**
 * What must stand in the open nowhere: the campaign's canaries, and the key and the servers of the fixtures, which are
 * others, as they were made once and for all.
 */
export const NEEDLES: readonly Needle[] = [
  ...CANARIES,
  ...needlesOfKey(KEY),
  ...["a.example", "f.example", "broker.example"].flatMap((server) => needlesOfText("server", server)),
];

/** A copy to do something with, and what stood in its log. */
export function copyOf({ schema, name }: Pick<Fixture, "schema" | "name">, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "stats.db");
  for (const suffix of ["", "-wal"]) {
    const from = join(FOLDER, schema, `${name}.db${suffix}`);
    if (existsSync(from)) copyFileSync(from, file + suffix);
  }
  return file;
}

/** The tables as they are, in SQL of the campaign's own. */
export function rawly<T>(file: string, driver: DriverName, body: (handle: SqliteHandle) => T): T {
  const handle = new (databaseClass(driver))(file);
  try {
    if (driver !== "@signalapp/sqlcipher") handle.exec("PRAGMA cipher = 'sqlcipher'; PRAGMA legacy = 4");
    handle.exec(`PRAGMA key = "x'${KEY}'"; PRAGMA busy_timeout = 5000`);
    return body(handle);
  } finally {
    handle.close();
  }
}

interface Row extends Key {
  readonly hour: number;
  readonly counter: string;
  readonly value: number;
}

export interface Raw {
  readonly version: number;
  readonly integrity: string;
  readonly sums: Sums;
  readonly hours: Sums;
}

export function rawOf(file: string, driver: DriverName): Raw {
  return rawly(file, driver, (handle) => {
    const rows = (from: string) =>
      handle
        .prepare(
          `SELECT hour, protocol, user_id AS userId, server, counter, value FROM (${from}) JOIN agent_stats_key USING (key_id)`,
        )
        .all([]) as Row[];
    const one = (sql: string) => Object.values(handle.prepare(sql).get([]) as object)[0] as never;
    const past = rows("SELECT 0 AS hour, key_id, counter, value FROM agent_stats_past");
    const open = rows(
      "SELECT hour, key_id, counter, value FROM agent_stats_count JOIN agent_stats_session USING (session_id) WHERE folded = 0",
    );
    const hours = rows("SELECT hour, key_id, counter, value FROM agent_stats_count");
    return {
      version: one("SELECT value FROM agent_stats_meta WHERE name = 'schema_version'"),
      integrity: one("PRAGMA integrity_check"),
      sums: added(...[...past, ...open].map((row) => new Map([[nameOf(row, row.counter), row.value]]))),
      hours: added(...hours.map((row) => new Map([[`${row.hour} ${nameOf(row, row.counter)}`, row.value]]))),
    };
  });
}
