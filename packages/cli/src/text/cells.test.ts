import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cells, middle, padEnd, padStart, printable, together, wrapName, wrapWords } from "./cells.ts";

const names = fc.string({ unit: "grapheme", maxLength: 400 }).map(printable);

describe("cells", () => {
  test.each([
    ["", 0],
    ["broker", 6],
    ["9\u202f007 …–", 8],
    ["zażółć", 6],
    ["e\u0301", 1],
    ["服务器", 6],
    ["🚀", 2],
  ])("%j takes %i", (text, expected) => {
    expect(cells(text)).toBe(expected);
  });
});

describe("printable", () => {
  test.each([
    ["an escape sequence", "a\u001b[2Jb", "a\\u{1b}[2Jb"],
    ["a line's end", "a\r\nb", "a\\u{d}\\u{a}b"],
    ["a mark that turns the direction", "a\u202eb", "a\\u{202e}b"],
    ["an invisible mark", "a\u200bb", "a\\u{200b}b"],
    ["half of a pair", "a\ud800b", "a\\u{d800}b"],
    ["a C1 control", "a\u009bb", "a\\u{9b}b"],
  ])("shows %s", (_, name, expected) => {
    expect(printable(name)).toBe(expected);
  });

  test("leaves letters of every script", () => {
    expect(printable("сервер 服务器 zażółć")).toBe("сервер 服务器 zażółć");
  });
});

describe("padding", () => {
  test("counts cells, not letters", () => {
    expect(padStart("服", 4)).toBe("  服");
    expect(padEnd("服", 4)).toBe("服  ");
    expect(padEnd("too long", 4)).toBe("too long");
  });
});

describe("middle", () => {
  test.each([
    ["short", 8, "short"],
    ["abcdefghij", 7, "abc…hij"],
    ["abcdefghij", 6, "abc…ij"],
    ["服务器服务器", 7, "服务…器"],
  ])("%s in %i cells is %s", (text, width, expected) => {
    expect(middle(text, width)).toBe(expected);
  });

  test("never takes more cells than given", () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 3, max: 100 }), (name, width) => cells(middle(name, width)) <= width),
    );
  });
});

describe("wrapName", () => {
  test("breaks an address where its parts meet", () => {
    expect(wrapName("smp://hash=@first.example,second.onion:5223", 30)).toEqual([
      "smp://hash=@first.example,",
      "second.onion:5223",
    ]);
  });

  test("breaks what has no parts at the width", () => {
    expect(wrapName("a".repeat(25), 10)).toEqual(["a".repeat(10), "a".repeat(10), "a".repeat(5)]);
  });

  test("loses nothing of a name of three lines, and the middle of a longer one", () => {
    const long = "a".repeat(100) + "b".repeat(100);
    expect(wrapName(long, 70).join("")).toBe(long);
    expect(wrapName(long, 50).join("")).toBe(`${"a".repeat(73)}…${"b".repeat(73)}`);
  });

  test("never makes a line that is too long, and never loses the ends", () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 20, max: 100 }), (name, width) => {
        const lines = wrapName(name, width);
        expect(Math.max(...lines.map(cells))).toBeLessThanOrEqual(width);
        expect(lines.join("").slice(0, 8)).toBe(name.slice(0, 8));
        expect(lines.join("").slice(-8)).toBe(name.slice(-8));
      }),
    );
  });
});

describe("wrapWords", () => {
  test("breaks at spaces, but not within what stays together", () => {
    const sentence = `up to ${together("1 min 30 s")} can be missing`;
    expect(wrapWords(sentence, 12)).toEqual(["up to", "1 min 30 s", "can be", "missing"]);
  });
});
