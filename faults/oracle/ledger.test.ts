import { mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MARK } from "./canary.ts";
import { ALL, openLedger, readBeginning, readLedger, WHAT } from "./ledger.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a ledger tells what was written, in order, also by two who write at once", () => {
  const path = join(folder, "ledger");
  const [one, two] = [openLedger(path), openLedger(path)];
  one.add(3, 4_000_000_000, 1, 12);
  two.note(WHAT.kill);
  one.note(WHAT.deleting, { user: 3, amount: 1 });
  one.close();
  two.close();
  const entries = readLedger(path);
  expect(entries).toMatchObject([
    { what: WHAT.add, user: 3, server: 4_000_000_000, counter: 1, amount: 12 },
    { what: WHAT.kill, user: ALL, server: ALL },
    { what: WHAT.deleting, user: 3, amount: 1 },
  ]);
  expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).sort((a, b) => a - b));
  expect(readBeginning(path, 2)).toEqual(entries.slice(0, 2));
  expect(readFileSync(path).includes(MARK)).toBe(false);
});

test("many that are told at once are told like any other", () => {
  const path = join(folder, "ledger");
  const ledger = openLedger(path);
  const adds = [1, 2, 3].map((user) => ({ user, server: user + 10, counter: user % 2 }));
  ledger.addAll(adds);
  ledger.close();
  expect(readLedger(path)).toMatchObject(adds.map((add) => ({ ...add, what: WHAT.add, amount: 1 })));
});

test("an entry that was cut off is none", () => {
  const path = join(folder, "ledger");
  const ledger = openLedger(path);
  ledger.add(1, 1, 0, 1);
  ledger.add(1, 1, 0, 1);
  ledger.close();
  truncateSync(path, readFileSync(path).length - 1);
  expect(readLedger(path)).toHaveLength(1);
});
