import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { KEY, MARK } from "./canary.ts";
import { openWithKey as open } from "./drivers.ts";
import { decryptPages } from "./pages.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pages-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const holding = (file: string, text: string, key = KEY) =>
  decryptPages(file, key).pages.filter((page) => page.includes(text)).length;

test("a name is found in the file, and in a log that was not moved into it yet", () => {
  const file = join(folder, "a.db");
  const database = open(file);
  database.exec(`CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('${MARK}-file')`);
  database.exec(`PRAGMA journal_mode = WAL; INSERT INTO t VALUES ('${MARK}-log')`);
  expect(readFileSync(file).includes(MARK), "control: it cannot be read without the key").toBe(false);
  expect([holding(file, `${MARK}-file`), holding(file, `${MARK}-log`)].every((n) => n > 0)).toBe(true);
  expect(decryptPages(file, KEY).unproven()).toBe(0);
  expect(holding(file, MARK, "00".repeat(32)), "with another key nothing is found").toBe(0);
  expect(decryptPages(file, "00".repeat(32)).unproven(), "and that is noticed").toBeGreaterThan(2);
  database.close();
});

test("a name is found in a rollback journal, and in a page that is free", () => {
  const file = join(folder, "b.db");
  const database = open(file);
  database.exec(`PRAGMA journal_mode = DELETE; PRAGMA secure_delete = OFF; CREATE TABLE t (a TEXT)`);
  database.exec(`INSERT INTO t VALUES ('${MARK}-old')`);
  database.exec(`BEGIN; UPDATE t SET a = 'nothing'; PRAGMA cache_flush`);
  copyFileSync(`${file}-journal`, join(folder, "c.db-journal"));
  writeFileSync(join(folder, "c.db"), readFileSync(file).subarray(0, 4_096));
  expect(holding(join(folder, "c.db"), `${MARK}-old`)).toBeGreaterThan(0);
  database.exec(`COMMIT; INSERT INTO t VALUES ('${MARK}-dropped'); DROP TABLE t`);
  database.close();
  expect(holding(file, `${MARK}-dropped`)).toBeGreaterThan(0);
});

test("a torn page is decrypted as far as it goes, and told", () => {
  const file = join(folder, "d.db");
  const database = open(file);
  database.exec("CREATE TABLE t (a TEXT)");
  database.close();
  appendFileSync(file, Buffer.alloc(4_096, 7));
  expect(decryptPages(file, KEY).unproven()).toBe(1);
});
