import { expect, test } from "vitest";
import { expectRefused, SECRET } from "../../record/given.testing.ts";
import { loadDriver } from "./drivers.ts";
import { lockSimplexImports, readSimplexDatabase } from "./simplex-db.ts";
import { moveAside, type SqlcipherOptions, salvageFile, sqlcipherReader, sqlcipherStore, verifyFile } from "./store.ts";

const noObject = [undefined, null, 5, SECRET, Symbol(SECRET), () => SECRET] as never[];
const noText = [null, 5, {}, [], Symbol(SECRET)] as never[];
const right = { file: "none.db", key: "5a".repeat(32), from: "none.db", to: "new.db" } as const;

const doors: Readonly<Record<string, (given: never) => unknown>> = {
  sqlcipherStore,
  sqlcipherReader,
  verifyFile,
  salvageFile,
  moveAside,
  readSimplexDatabase,
};

test.each(Object.entries(doors))("%s is called with options, a path and a driver's name", async (_, call) => {
  for (const given of noObject) await expectRefused(() => call(given), /options must be an object/);
  for (const given of [...noText, "" as never]) {
    await expectRefused(() => call({ ...right, file: given, from: given } as never), /must be a path/);
  }
  for (const driver of noText)
    await expectRefused(() => call({ ...right, driver } as never), /driver must be the name of one/);
});

test("a file is salvaged to a path", async () => {
  for (const to of noText) await expectRefused(() => salvageFile({ ...right, to }), /must be a path/);
});

test("threads and damage are among what there is", async () => {
  const open = (more: object) => sqlcipherStore({ ...right, ...more } as SqlcipherOptions);
  for (const given of [...noText, SECRET]) {
    await expectRefused(() => open({ thread: given }), /thread is worker or same/);
    await expectRefused(() => open({ ifDamaged: given }), /ifDamaged is refuse or move-aside/);
  }
});

test("a lock is on a path, for a while", async () => {
  for (const file of noText) await expectRefused(() => lockSimplexImports(file), /must be a path/);
  for (const within of [null, "5", Number.NaN, Symbol(SECRET)] as never[])
    await expectRefused(() => lockSimplexImports("none.db", within), /number of milliseconds/);
});

test("a driver that nobody knows is missing, whatever module bears its name", () => {
  for (const name of ["fs", "no-such-driver"]) {
    expect(() => loadDriver(name as never)).toThrow(expect.objectContaining({ code: "STATS_DRIVER_MISSING" }));
  }
});
