import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CANARIES, KEY, LEDGERS, MARK, removeSearched, searchCanaries } from "./canary.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "canary-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const user = `user-${MARK}-17`;
const key = Buffer.from(KEY, "hex");
const shifted = (bytes: Buffer, by: number) =>
  Buffer.concat([Buffer.from("abc".slice(0, by)), bytes, Buffer.from("xyz")]);

describe("a canary is found", () => {
  test.each<[string, string | Buffer, string]>([
    ["in utf-8", `{"user":"${user}"}`, "name, utf-8"],
    ["in utf-16", Buffer.from(user, "utf16le"), "name, utf-16"],
    ["in hex", Buffer.from(user).toString("hex"), "name, hex"],
    ["in base64", shifted(Buffer.from(MARK), 0).toString("base64"), "name, base64"],
    ["in base64, one byte later", shifted(Buffer.from(MARK), 1).toString("base64"), "name, base64"],
    ["in base64, two bytes later", shifted(Buffer.from(MARK), 2).toString("base64url"), "name, base64"],
    ["as a raw key", Buffer.concat([Buffer.alloc(77), key, Buffer.alloc(9)]), "key, raw"],
    ["as a key in hex", `PRAGMA key = "x'${KEY}'"`, "key, hex"],
    ["as a key in upper case", KEY.toUpperCase(), "key, upper case hex"],
    ["as a key in base64", key.toString("base64"), "key, base64"],
    ["as a key in base64, one byte later", shifted(key, 1).toString("base64url"), "key, base64"],
    ["as a key in base64, two bytes later", shifted(key, 2).toString("base64"), "key, base64"],
  ])("%s", (_, content, what) => {
    writeFileSync(join(folder, "file"), content);
    expect(searchCanaries(folder).hits).toContainEqual({ what, where: "file" });
    expect(searchCanaries(folder, []).files).toBe(1);
  });

  test("across two chunks of a large file, and at its very end", () => {
    const bytes = Buffer.alloc((1 << 21) + 1000, 0x20);
    bytes.write(MARK, (1 << 20) - 4);
    writeFileSync(join(folder, "a"), bytes);
    writeFileSync(join(folder, "b"), Buffer.concat([Buffer.alloc(1 << 20), Buffer.from(MARK)]));
    const { hits, bytes: searched } = searchCanaries(folder);
    expect(hits.map(({ where }) => where).sort()).toEqual(["a", "b"]);
    expect(searched).toBe((1 << 21) + 1000 + (1 << 20) + MARK.length);
  });

  test("in a folder below, in a file's name, and in what a process said", () => {
    mkdirSync(join(folder, "below"));
    writeFileSync(join(folder, "below", "file"), user);
    writeFileSync(join(folder, `${user}.db`), "");
    const { hits, outputs } = searchCanaries(folder, ["nothing", `Error: ${user}`]);
    expect(hits.map(({ where }) => where).sort()).toEqual(["below/file", "output 2", `${user}.db`].sort());
    expect(outputs).toBe(2);
  });
});

test("what is removed is searched first", () => {
  mkdirSync(join(folder, "clean"));
  writeFileSync(join(folder, "clean", "file"), "nothing");
  removeSearched(join(folder, "clean"));
  expect(existsSync(join(folder, "clean"))).toBe(false);
  writeFileSync(join(folder, "file"), user);
  expect(() => removeSearched(folder)).toThrow("1 secrets stand in the open: name, utf-8 in file");
  expect(existsSync(folder)).toBe(false);
});

describe("no canary is found", () => {
  test("in ledgers of the campaign, and where there is none", () => {
    mkdirSync(join(folder, LEDGERS));
    writeFileSync(join(folder, LEDGERS, "counts"), user);
    writeFileSync(join(folder, "file"), "users and servers");
    expect(searchCanaries(folder, ["a line"])).toEqual({ files: 1, bytes: 17, outputs: 1, hits: [] });
  });

  test("that is empty: an empty needle would be found everywhere", () => {
    for (const { bytes } of CANARIES) expect(bytes.length).toBeGreaterThan(7);
  });
});
