import { expect, test } from "vitest";
import { expectThrown, SECRET } from "../../record/given.testing.ts";
import type { SqliteHandle } from "./handle.ts";
import { sqliteStore } from "./store.ts";

const noObject = [null, 5, SECRET, Symbol(SECRET), () => SECRET] as never[];
const noText = [null, 5, {}, [], Symbol(SECRET), `${SECRET}"`] as never[];
/** Refuses to do anything: nothing must come as far as the database. */
const handle: SqliteHandle = {
  exec: () => expect.fail("the database was asked"),
  prepare: () => expect.fail("the database was asked"),
  close: () => {},
};

test.each<[string, never[], (given: never) => unknown, RegExp]>([
  [
    "a handle",
    [undefined as never, {} as never, ...noObject],
    (given) => sqliteStore(given),
    /handle must be a database/,
  ],
  ["options", noObject, (given) => sqliteStore(handle, given), /options must be an object/],
  ["a schema", noText, (schema) => sqliteStore(handle, { schema }), /plain identifiers/],
  [
    "a user",
    [{}, null, Object.create(null)] as never[],
    (given) => sqliteStore(handle).deleteUserWithin(given),
    /text or a number/,
  ],
  ["a table and its column", noObject, (given) => sqliteStore(handle).installUserTrigger(given), /must be an object/],
  ["a table", noText, (table) => sqliteStore(handle).installUserTrigger({ table, column: "id" }), /plain identifiers/],
  [
    "a column",
    noText,
    (column) => sqliteStore(handle).installUserTrigger({ table: "users", column }),
    /plain identifiers/,
  ],
])("%s that is none is refused, in a sentence that does not repeat it", (_, wrong, call, says) => {
  for (const given of wrong) expectThrown(() => call(given), says);
});
