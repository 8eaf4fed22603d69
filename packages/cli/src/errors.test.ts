import { StatsError } from "agent-stats";
import { describe, expect, test } from "vitest";
import { CliError, exitCodeOf, sentenceOf } from "./errors.ts";

describe("an error", () => {
  test("of the library keeps its sentence and its code", () => {
    const error = new StatsError("STATS_NEWER_SCHEMA", "A later version wrote it.");
    expect(sentenceOf(error)).toBe("agent-stats: A later version wrote it. [STATS_NEWER_SCHEMA]");
    expect(exitCodeOf(error)).toBe(5);
  });

  test("that a keeper would ride out says so to nobody who waits", () => {
    const error = new StatsError("STATS_BUSY", "It is tried again by itself.");
    expect(sentenceOf(error)).toBe(
      "agent-stats: Another process held the statistics for too long: try again. [STATS_BUSY]",
    );
    expect(exitCodeOf(error)).toBe(1);
  });

  test("of a damaged file names what comes next", () => {
    const error = new StatsError("STATS_DAMAGED", "Move it aside.");
    expect(sentenceOf(error)).toMatch(
      /^agent-stats: The file, .+ agent-stats verify .+ agent-stats salvage .+ \[STATS_/,
    );
    expect(exitCodeOf(error)).toBe(5);
  });

  test("of the command", () => {
    expect(sentenceOf(new CliError("USAGE", "No."))).toBe("agent-stats: No. [USAGE]");
    expect(exitCodeOf(new CliError("USAGE", "No."))).toBe(2);
  });

  test.each([
    [
      "an error with a path in its message",
      Object.assign(new Error("open '/home/me/x'"), { code: "EIO" }),
      "Error, EIO",
    ],
    [
      "an error whose code is a property of every object",
      Object.assign(new Error(), { code: "toString" }),
      "Error, toString",
    ],
    ["no error at all", "secret", "string"],
  ])("that nobody foresaw, %s, tells its kind only", (_, error, kind) => {
    expect(sentenceOf(error)).toBe(
      `agent-stats: This should not have happened (${kind}): please report it. [UNEXPECTED]`,
    );
    expect(exitCodeOf(error)).toBe(1);
  });
});
