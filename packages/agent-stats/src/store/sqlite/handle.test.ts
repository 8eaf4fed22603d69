/** What a driver's errors mean here, and what is done when a statement fails half way. */
import { describe, expect, test } from "vitest";
import { StatsError } from "../errors.ts";
import { atOneMoment, codeOf, immediately, type SqliteHandle, statsErrorOf, wholly } from "./handle.ts";

/** A handle that remembers what it was told, and fails with that code where the statement matches. */
function played(failing: RegExp = /$^/, code = "SQLITE_FULL") {
  const told: string[] = [];
  const exec = (sql: string) => {
    told.push(sql);
    if (failing.test(sql)) throw Object.assign(new Error("it names a path"), { code });
  };
  return { told, handle: { exec, prepare: () => expect.unreachable(), close() {} } as SqliteHandle };
}

const fails = () => {
  throw new Error("the body fails");
};

describe("a transaction that writes", () => {
  test("is begun as a writer, committed, and answers", () => {
    const { handle, told } = played();
    expect(immediately(handle, () => told.push("body") && 7)).toBe(7);
    expect(told).toEqual(["BEGIN IMMEDIATE", "body", "COMMIT"]);
  });

  test("is taken back when its body or its commit fails, also where SQLite took it back itself", () => {
    for (const [failing, told] of [
      [/$^/, ["BEGIN IMMEDIATE", "ROLLBACK"]],
      [/ROLLBACK/, ["BEGIN IMMEDIATE", "ROLLBACK"]],
    ] as const) {
      const each = played(failing);
      expect(() => immediately(each.handle, fails)).toThrow("the body fails");
      expect(each.told).toEqual(told);
    }
    const commit = played(/COMMIT/);
    expect(() => immediately(commit.handle, () => 7)).toThrow("it names a path");
    expect(commit.told).toEqual(["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"]);
  });

  test("that cannot begin runs nothing; within one of the host's it is busy", () => {
    const nested = played(/BEGIN/, "SQLITE_ERROR");
    expect(() => immediately(nested.handle, fails)).toThrow(expect.objectContaining({ code: "SQLITE_BUSY" }));
    expect(nested.told).toEqual(["BEGIN IMMEDIATE"]);
    const failing = played(/BEGIN/, "SQLITE_IOERR");
    expect(() => immediately(failing.handle, fails)).toThrow(expect.objectContaining({ code: "SQLITE_IOERR" }));
  });
});

describe("several reads at one moment", () => {
  test("are one transaction, which ends whatever they do", () => {
    const { handle, told } = played();
    expect(atOneMoment(handle, (isWithinHosts) => told.push("body") && isWithinHosts)).toBe(false);
    expect(told.splice(0)).toEqual(["BEGIN", "body", "COMMIT"]);
    expect(() => atOneMoment(handle, fails)).toThrow("the body fails");
    expect(told).toEqual(["BEGIN", "COMMIT"]);
  });

  test("are that already within a transaction of the host's, which is left to it; other failures are failures", () => {
    const nested = played(/BEGIN/, "SQLITE_ERROR");
    expect(atOneMoment(nested.handle, (isWithinHosts) => isWithinHosts)).toBe(true);
    expect(nested.told).toEqual(["BEGIN"]);
    const failing = played(/BEGIN/, "SQLITE_IOERR");
    expect(() => atOneMoment(failing.handle, () => expect.unreachable())).toThrow("it names a path");
  });
});

test("everything or nothing, within a transaction of the host's too", () => {
  const { handle, told } = played();
  expect(wholly(handle, () => 7)).toBe(7);
  expect(told.splice(0)).toEqual(["SAVEPOINT agent_stats", "RELEASE agent_stats"]);
  expect(() => wholly(handle, fails)).toThrow("the body fails");
  expect(told).toEqual(["SAVEPOINT agent_stats", "ROLLBACK TO agent_stats; RELEASE agent_stats"]);
});

describe("an error of a driver", () => {
  test.each([
    ["SQLITE_FULL", "STATS_DISK_FULL", /^The disk is full: make room/],
    ["SQLITE_IOERR_SHMSIZE", "STATS_DISK_FULL", /^The disk is full: make room/],
    ["SQLITE_IOERR_READ", "STATS_STORE_FAILED", /^The database failed: it is tried again by itself/],
    ["SQLITE_BUSY", "STATS_BUSY", /writing to the database for long: it is tried again/],
    ["SQLITE_BUSY_SNAPSHOT", "STATS_BUSY", /writing to the database for long: it is tried again/],
    ["SQLITE_LOCKED_SHAREDCACHE", "STATS_BUSY", /writing to the database for long: it is tried again/],
    ["SQLITE_READONLY_DIRECTORY", "STATS_READ_ONLY", /cannot be written: give this user the right/],
    ["SQLITE_PERM", "STATS_READ_ONLY", /cannot be written: give this user the right/],
    ["SQLITE_CANTOPEN_ISDIR", "STATS_READ_ONLY", /cannot be opened: give this user the right/],
    ["SQLITE_CORRUPT_VTAB", "STATS_DAMAGED", /is damaged: move it aside to begin anew; it was not changed/],
    ["SQLITE_NOTADB", "STATS_DAMAGED", /is damaged: move it aside to begin anew; it was not changed/],
    ["ENOENT", "STATS_STORE_FAILED", /^The database failed/],
  ])("%s is %s, with what to do next, and nothing of the driver's words", (sqlite, code, says) => {
    const error = statsErrorOf(Object.assign(new Error("it names a path"), { code: sqlite }));
    expect([error.code, error.cause]).toEqual([code, { code: sqlite }]);
    expect(error.message).toMatch(says);
  });

  test.each([
    [new TypeError("it names a user"), "TypeError"],
    [Object.assign(new Error("it names a user"), { code: 5 }), "Error"],
    ["text", "unknown"],
    [null, "unknown"],
    [undefined, "unknown"],
  ])("without a code of its own tells no more than its kind: %#", (given, cause) => {
    expect(codeOf(given)).toBe("");
    const { code, cause: told } = statsErrorOf(given);
    expect([code, told]).toEqual(["STATS_STORE_FAILED", { code: cause }]);
  });

  test("of this library passes as it is", () => {
    const own = new StatsError("STATS_MOVED", "It was moved.");
    expect(statsErrorOf(own)).toBe(own);
  });
});
