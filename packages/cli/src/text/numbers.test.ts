import { describe, expect, test } from "vitest";
import { countsBytes, formatBytes, formatCount, formatValue } from "./numbers.ts";

describe("counts", () => {
  test.each([
    [0, "0"],
    [999, "999"],
    [1000, "1\u202f000"],
    [1_234_567, "1\u202f234\u202f567"],
    [Number.MAX_SAFE_INTEGER, "9\u202f007\u202f199\u202f254\u202f740\u202f991"],
  ])("%i", (value, expected) => {
    expect(formatCount(value)).toBe(expected);
  });
});

describe("bytes", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [9_994, "9.99 kB"],
    [9_995, "10.0 kB"],
    [99_949, "99.9 kB"],
    [99_950, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [1_234_567, "1.23 MB"],
    [Number.MAX_SAFE_INTEGER, "9.01 PB"],
  ])("%i", (value, expected) => {
    expect(formatBytes(value)).toBe(expected);
  });

  test.each([
    ["bytesSent", true],
    ["uploadBytes", true],
    ["sent", false],
    ["kilobytes", false],
  ])("%s counts them: %s", (counter, expected) => {
    expect(countsBytes(counter)).toBe(expected);
  });

  test("a value is shown in its counter's unit", () => {
    expect(formatValue("bytesSent", 1234)).toBe("1.23 kB");
    expect(formatValue("uploadsSize", 1234)).toBe("1.23 kB");
    expect(formatValue("sent", 1234)).toBe("1\u202f234");
  });
});
