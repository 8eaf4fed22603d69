/** The lock that tells whether a session lives: held by one, seen by all, gone without a trace. */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDriver } from "../sqlcipher/drivers.ts";
import { describeDrivers, temporaryFolder } from "../sqlcipher/files.testing.ts";
import type { SqliteHandle } from "./handle.ts";
import { fileLocks, lockFile } from "./locks.ts";

const NO_PATIENCE_MS = 0;

describeDrivers("locks of sessions", (driver) => {
  /** Where sessions have their locks, and who looks: each call is another process, by handles of its own. */
  function place() {
    const folder = temporaryFolder();
    const handles = { open: 0 };
    const open = (path: string): SqliteHandle => {
      const handle = loadDriver(driver).open(path);
      handles.open++;
      const close = () => {
        handles.open--;
        return handle.close();
      };
      return { exec: (sql) => handle.exec(sql), prepare: (sql) => handle.prepare(sql), close };
    };
    const file = join(folder, "stats.db");
    const locks = () => fileLocks(file, open);
    return { folder, handles, locks, open, lockOf: (session: number) => `${file}-session-${session}` };
  }

  test("one process holds a lock, as often as it takes it; nobody else gets it, and all see that it is held", () => {
    const { locks, handles } = place();
    const [mine, other] = [locks(), locks()];
    expect([mine.take(7), mine.take(7)]).toEqual([true, true]);
    expect(handles.open).toBe(1);
    expect([mine.isHeld(7), other.isHeld(7)]).toEqual([true, true]);
    // What was not given to it the first time is not taken for its own the second time.
    expect([other.take(7), other.take(7)]).toEqual([false, false]);
    expect(handles.open).toBe(1);
    expect([other.take(8), mine.isHeld(8)]).toEqual([true, true]);
    mine.removeAll();
    expect(other.take(7)).toBe(true);
    other.removeAll();
    expect(handles.open).toBe(0);
  });

  test("a lock that is freed leaves nothing behind, and others stay held", () => {
    const { locks, folder, handles } = place();
    const [mine, other] = [locks(), locks()];
    for (const session of [1, 2, 3]) mine.take(session);
    expect(readdirSync(folder)).toHaveLength(3);
    mine.remove(2);
    expect([1, 2, 3].map((session) => other.isHeld(session))).toEqual([true, false, true]);
    expect([1, 2, 3].map((session) => mine.isHeld(session))).toEqual([true, false, true]);
    mine.removeAll();
    expect([readdirSync(folder), handles.open]).toEqual([[], 0]);
    // Freeing what was never held is no mistake.
    mine.remove(2);
  });

  test("who only looks leaves neither a file nor an open handle, whatever it sees", () => {
    const { locks, folder, handles, lockOf } = place();
    const [mine, other] = [locks(), locks()];
    expect([other.isHeld(7), readdirSync(folder)]).toEqual([false, []]);
    writeFileSync(lockOf(7), "");
    expect(other.isHeld(7)).toBe(false);
    mine.take(7);
    expect(other.isHeld(7)).toBe(true);
    expect(handles.open).toBe(1);
    mine.removeAll();
  });

  test("what is no lock is nobody's answer: it is told, and nothing stays open", () => {
    const { locks, handles, open, lockOf } = place();
    writeFileSync(lockOf(7), "something else that stands in the place of the lock".repeat(100));
    const failed = expect.objectContaining({ code: expect.stringMatching(/^SQLITE_NOTADB/) });
    expect(() => locks().isHeld(7)).toThrow(failed);
    expect(() => locks().take(7)).toThrow(failed);
    expect(() => lockFile(lockOf(7), open, NO_PATIENCE_MS)).toThrow(failed);
    expect(handles.open).toBe(0);
  });
});
