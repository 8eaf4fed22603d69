import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { agentStats, closedDatabase, database, KEY, keyFile, shell } from "./cli.testing.ts";
import { keyIn, passphraseIn } from "./key.ts";

const raw = Buffer.from(KEY, "hex");
const INVALID = expect.objectContaining({ code: "STATS_KEY_INVALID" });

describe("a key file", () => {
  test.each([
    ["64 hex digits", Buffer.from(KEY), KEY],
    ["with white space around", Buffer.from(` \t${KEY}\r\n\n`), KEY],
    ["with a byte order mark", Buffer.from(`\ufeff${KEY}\n`), KEY],
    ["in capitals", Buffer.from(KEY.toUpperCase()), KEY.toUpperCase()],
    ["32 bytes", raw, raw],
    ["32 bytes that look like text", Buffer.from("a".repeat(32)), Buffer.from("a".repeat(32))],
  ])("holds %s", (_, bytes, expected) => {
    expect(keyIn(bytes)).toEqual(expected);
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["62 hex digits", Buffer.from(KEY.slice(2))],
    ["hex digits in two lines", Buffer.from(`${KEY.slice(0, 32)}\n${KEY.slice(32)}`)],
    ["31 bytes", raw.subarray(1)],
    ["33 bytes", Buffer.concat([raw, Buffer.from([10])])],
    ["a passphrase", Buffer.from("correct horse battery staple")],
  ])("is refused with %s, and none of it is told", (_, bytes) => {
    expect(() => keyIn(bytes)).toThrow(INVALID);
    expect(() => keyIn(bytes)).not.toThrow(bytes.length > 0 ? bytes.toString() : "\0");
  });
});

describe("a passphrase file", () => {
  test.each([
    ["correct horse", "correct horse"],
    ["correct horse\n", "correct horse"],
    ["correct horse\r\n", "correct horse"],
    [" spaces count \n\n", " spaces count \n"],
    ["hasło z ogonkiem", "hasło z ogonkiem"],
  ])("%j", (text, passphrase) => {
    expect(passphraseIn(Buffer.from(text))).toEqual({ passphrase });
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["an empty line", Buffer.from("\n")],
    ["no UTF-8", Buffer.from([0xff, 0xfe, 0x41])],
  ])("is refused with %s", (_, bytes) => {
    expect(() => passphraseIn(bytes)).toThrow(INVALID);
  });
});

describe("the key", () => {
  const sessions = (db: string, ...args: string[]) => ["sessions", "--db", db, ...args];

  test("is 32 bytes, or 64 hex digits with white space, from a file or from stdin", async () => {
    const { path, db } = await database();
    const raw = Buffer.from(KEY, "hex");
    expect(await agentStats(sessions(db, "--key-file", keyFile(path, raw)))).toMatchObject({ code: 0, stderr: "" });
    const hex = keyFile(path, ` ${KEY.toUpperCase()}\n\n`);
    expect(await agentStats(sessions(db, "--key-file", hex))).toMatchObject({ code: 0, stderr: "" });
    for (const input of [raw, `${KEY}\n`]) {
      expect(await agentStats(sessions(db, "--key-file", "-"), { input })).toMatchObject({ code: 0, stderr: "" });
    }
  });

  test("is a passphrase from a file of that name", async () => {
    const key = { passphrase: "correct horse's staple" };
    const { path, db } = await database((file) => closedDatabase(file, { key }));
    const file = keyFile(path, `${key.passphrase}\n`);
    expect(await agentStats(sessions(db, "--passphrase-file", file))).toMatchObject({ code: 0, stderr: "" });
    const wrong = await agentStats(sessions(db, "--passphrase-file", "-"), { input: "wrong horse" });
    expect(wrong).toMatchObject({ code: 3, stdout: "" });
  });

  test.skipIf(process.platform === "win32")("may come through a pipe that has a name", async () => {
    const { path, db } = await database();
    const fifo = join(path, "fifo");
    shell('mkfifo "$2"; { cat "$1" > "$2"; } > /dev/null 2>&1 &', [keyFile(path), fifo]);
    expect(await agentStats(sessions(db, "--key-file", fifo))).toMatchObject({ code: 0, stderr: "" });
  });

  test.skipIf(process.platform === "win32")("that others can read is warned of, and used", async () => {
    const { path, db } = await database();
    for (const mode of [0o640, 0o604, 0o620]) {
      const { code, stdout, stderr } = await agentStats(sessions(db, "--key-file", keyFile(path, KEY, mode), "--json"));
      expect(code).toBe(0);
      expect(stderr).toMatch(/^agent-stats: Warning: other users .+ \[KEY_FILE_OPEN\]\n$/);
      expect(JSON.parse(stdout).sessions).toHaveLength(1);
    }
  });

  test("is never shown, wherever it was put by mistake", async () => {
    const { path, db, args } = await database();
    const other = `${KEY.slice(0, -2)}00`;
    const outcomes = await Promise.all([
      agentStats([KEY]),
      agentStats([`--${KEY}`]),
      agentStats(["show", KEY]),
      agentStats(["show", `-${KEY}`]),
      agentStats(["show", "--key", KEY]),
      agentStats(["show", `--key=${KEY}`]),
      agentStats(["show", ...args, `--json=${KEY}`]),
      agentStats(["show", ...args, "--key-file", KEY]),
      agentStats(["show", "--db", KEY, "--key-file", KEY]),
      agentStats(["show", "--db", db, "--key-file", KEY]),
      agentStats(["show", "--db", db, "--key-file", "-"], { input: other }),
      agentStats(["show", "--db", db, "--key-file", "-"], { input: `${KEY}\n${KEY}` }),
      agentStats(["show", "--db", db, "--passphrase-file", "-"], { input: `x'${KEY}'` }),
      agentStats(["show", ...args]),
      agentStats(["show", ...args, "--json"]),
    ]);
    for (const { stdout, stderr } of outcomes) {
      for (const secret of [KEY.slice(0, 16), Buffer.from(KEY, "hex").toString("latin1").slice(0, 8)]) {
        expect(stdout + stderr).not.toContain(secret);
      }
    }
    expect(outcomes.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 0, 0]);
    expect(readFileSync(join(path, "key"), "utf8")).toBe(KEY);
  });
});
