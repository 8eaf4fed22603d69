import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { expect, test } from "vitest";
import { eachSum } from "../contract-support.ts";
import {
  type BadInput,
  holds,
  makeGood,
  type Place,
  placeFor,
  replaceByGood,
  runSql,
  WRONG_KEY,
} from "./bad-input.testing.ts";
import { describeDrivers, KEY } from "./files.testing.ts";

const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), randomBytes(20_000)]);
const PAGE = 4_096;

const inFolder = (make: (place: Place) => void | Promise<void>) => (place: Place) => {
  mkdirSync(dirname(place.file));
  return make(place);
};

const writeFile = (bytes: Uint8Array | string) => inFolder(({ file }) => writeFileSync(file, bytes));

const BAD: readonly BadInput[] = [
  {
    name: "another key",
    code: "STATS_KEY_REJECTED",
    says: /another key/,
    make: inFolder((place) => makeGood(place, WRONG_KEY)),
    cure: replaceByGood,
    before: 100,
  },
  {
    name: "a damaged first page",
    code: "STATS_KEY_REJECTED",
    says: /the file is damaged/,
    make: inFolder(async (place) => {
      await makeGood(place);
      const bytes = readFileSync(place.file);
      bytes[2_000] = (bytes[2_000] as number) ^ 1;
      writeFileSync(place.file, bytes);
    }),
    cure: replaceByGood,
    before: 100,
  },
  {
    name: "a SQLite database without encryption",
    code: "STATS_NOT_ENCRYPTED",
    says: /name another file/,
    make: inFolder((place) => runSql(place, null, "CREATE TABLE t (x); INSERT INTO t VALUES (1)")),
    cure: replaceByGood,
    before: 100,
  },
  {
    name: "a picture",
    code: "STATS_NOT_A_DATABASE",
    says: /name another file/,
    make: writeFile(PNG),
    cure: replaceByGood,
    before: 100,
  },
  {
    name: "a text",
    code: "STATS_NOT_A_DATABASE",
    says: /name another file/,
    make: writeFile("These are notes.\n"),
    cure: ({ file }) => rmSync(file),
    before: 0,
  },
  {
    name: "one byte, which SQLite takes for a new file",
    code: "STATS_NOT_A_DATABASE",
    says: /was cut off/,
    make: writeFile("x"),
    cure: ({ file }) => rmSync(file),
    before: 0,
  },
  {
    name: "one byte beside a WAL, which SQLite would remove",
    code: "STATS_NOT_A_DATABASE",
    says: /was cut off/,
    make: inFolder(({ file }) => {
      writeFileSync(file, "x");
      writeFileSync(`${file}-wal`, randomBytes(32 + 24 + PAGE));
    }),
    cure: ({ file }) => {
      for (const part of ["", "-wal"]) rmSync(file + part);
    },
    before: 0,
  },
  {
    name: "random bytes of a database's size",
    code: "STATS_KEY_REJECTED",
    says: /of another kind/,
    make: writeFile(randomBytes(3 * PAGE)),
    cure: replaceByGood,
    before: 100,
  },
  {
    name: "a file without bytes",
    code: "STATS_EMPTY_FILE",
    says: /restore it, or remove it/,
    make: writeFile(""),
    cure: ({ file }) => rmSync(file),
    before: 0,
  },
  {
    name: "a file that lost its bytes, beside a WAL that has some",
    code: "STATS_EMPTY_FILE",
    says: /restore it, or remove it/,
    make: inFolder(({ file }) => {
      writeFileSync(file, "");
      writeFileSync(`${file}-wal`, randomBytes(PAGE));
    }),
    cure: async (place) => {
      rmSync(`${place.file}-wal`);
      await replaceByGood(place);
    },
    before: 100,
  },
  {
    name: "a file that was cut off in the middle of a page",
    code: "STATS_DAMAGED",
    says: /move it aside/,
    make: inFolder(async (place) => {
      await makeGood(place);
      truncateSync(place.file, 3 * PAGE - 7);
    }),
    cure: replaceByGood,
    before: 100,
  },
  {
    name: "a file that was cut off after a page",
    code: "STATS_DAMAGED",
    says: /move it aside/,
    make: inFolder(async (place) => {
      await makeGood(place);
      truncateSync(place.file, 2 * PAGE);
    }),
    cure: replaceByGood,
    before: 100,
  },
  {
    name: "a folder",
    code: "STATS_IS_A_FOLDER",
    says: /name a file in it/,
    make: ({ file }) => void mkdirSync(file, { recursive: true }),
    cure: ({ file }) => rmSync(file, { recursive: true }),
    before: 0,
  },
  {
    name: "a missing folder",
    code: "STATS_FOLDER_MISSING",
    says: /create it/,
    make: () => {},
    cure: ({ file }) => void mkdirSync(dirname(file)),
    before: 0,
    toReader: "STATS_MISSING",
  },
  {
    name: "a newer schema",
    code: "STATS_NEWER_SCHEMA",
    says: /update agent-stats/,
    make: inFolder(async (place) => {
      await makeGood(place);
      runSql(place, KEY, "UPDATE agent_stats_meta SET value = value + 1 WHERE name = 'schema_version'");
    }),
    cure: (place) => runSql(place, KEY, "UPDATE agent_stats_meta SET value = value - 1 WHERE name = 'schema_version'"),
    before: 100,
  },
];

describeDrivers("what cannot be used is left as it is, and the host goes on", (driver) => {
  test.each(BAD)("$name", (bad) => holds(bad, placeFor(driver)));

  test("what was saved before a crash is there for the right key, whoever tried a wrong one meanwhile", async () => {
    const { file, outside } = placeFor(driver);
    mkdirSync(dirname(file));
    await makeGood({ file, driver });
    const store = sqlcipherStore({ file, key: KEY, driver, thread: "same" });
    await store.begin({ startedAt: 1, flushEveryMs: 1, seen: null });
    const crashed = join(outside, "crashed.db");
    for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, crashed + suffix);
    await store.close();
    expect(readFileSync(`${crashed}-wal`).length).toBeGreaterThan(0);
    const wrong = sqlcipherStore({ file: crashed, key: WRONG_KEY, driver, thread: "same" });
    await expect(wrong.sums(null)).rejects.toMatchObject({ code: "STATS_KEY_REJECTED" });
    const right = sqlcipherReader({ file: crashed, key: KEY, driver, thread: "same" });
    expect(await right.sessions()).toHaveLength(2);
    expect(eachSum(await right.sums(null))).toMatchObject([{ counter: "sent", open: 100 }]);
    await right.close();
  });
});
