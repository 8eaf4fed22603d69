import { describe, expect, test } from "vitest";
import { terminalOf } from "./context.ts";

const tty = { isTTY: true, columns: 120, hasColors: () => true };

describe("the terminal", () => {
  test("is as wide as it says, and coloured where it can be", () => {
    expect(terminalOf(tty, {})).toEqual({ width: 120, colour: true });
    expect(terminalOf({ ...tty, hasColors: () => false }, {}).colour).toBe(false);
  });

  test("is 80 cells wide and plain where it is none", () => {
    expect(terminalOf({ columns: 120, hasColors: () => true }, {})).toEqual({ width: 80, colour: false });
  });

  test("is plain where NO_COLOR is set, but not where it is empty", () => {
    expect(terminalOf(tty, { NO_COLOR: "1", FORCE_COLOR: "1" }).colour).toBe(false);
    expect(terminalOf(tty, { NO_COLOR: "" }).colour).toBe(true);
  });

  test("has a width to work with where it does not know its own", () => {
    expect(terminalOf({ ...tty, columns: 0 }, {}).width).toBe(80);
    expect(terminalOf({ ...tty, columns: 10 }, {}).width).toBe(60);
  });
});
