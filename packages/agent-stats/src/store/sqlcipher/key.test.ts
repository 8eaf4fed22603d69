import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { StatsError } from "agent-stats";
import { sqlcipherReader, sqlcipherStore } from "agent-stats/sqlcipher";
import { describe, expect, test } from "vitest";
import { assertHelpful, WRONG_KEY } from "./bad-input.testing.ts";
import { bytesIn, describeDrivers, KEY, temporaryFolder } from "./files.testing.ts";

describe("a key of the wrong kind is refused before any file is touched", () => {
  const keys: [why: string, key: unknown][] = [
    ["62 hex digits, which SQLCipher would take for a passphrase", "5a".repeat(31)],
    ["66 hex digits", "5a".repeat(33)],
    ["64 letters that are no hex digits", "5g".repeat(32)],
    ["64 hex digits and a line end", `${KEY}\n`],
    ["31 bytes", new Uint8Array(31)],
    ["33 bytes", new Uint8Array(33)],
    ["no bytes", new Uint8Array(0)],
    ["32 numbers that are not bytes", Array.from({ length: 32 }, () => 1)],
    ["an empty string", ""],
    ["an empty passphrase", { passphrase: "" }],
    ["a passphrase that is none", { passphrase: 12345678 }],
    ["a passphrase with a zero byte, where SQLite would end it", { passphrase: "correct\0horse" }],
    ["a passphrase that SQLCipher would take for a raw key", { passphrase: `x'${KEY}'` }],
    ["nothing", undefined],
    ["null", null],
  ];
  test.each(keys)("%s", (_, key) => {
    const folder = temporaryFolder();
    const file = join(folder, "stats.db");
    for (const open of [sqlcipherStore, sqlcipherReader]) {
      let thrown: unknown = null;
      try {
        open({ file, key: key as string });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(StatsError);
      expect(thrown).toMatchObject({ code: "STATS_KEY_INVALID" });
      assertHelpful(thrown as StatsError, { says: /32 bytes, 64 hex digits, or \{ passphrase \}/ }, { file });
    }
    expect(bytesIn(folder)).toEqual({});
  });
});

test.each([undefined, null, "", new URL("file:///stats.db")])(
  "a file that is no path is refused at once: %s",
  (file) => {
    for (const open of [sqlcipherStore, sqlcipherReader]) {
      expect(() => open({ file: file as string, key: KEY })).toThrow(TypeError);
      expect(() => open({ file: file as string, key: KEY })).toThrow("must be a path");
    }
  },
);

describeDrivers("control: every kind of key that is one opens what it made", (driver) => {
  test.each([
    ["64 hex digits", KEY, Buffer.from(KEY, "hex")],
    ["64 hex digits, large", "5A".repeat(32), KEY],
    ["32 bytes", new Uint8Array(32).fill(7), "07".repeat(32)],
    ["a passphrase", { passphrase: "correct 'horse' \" ü" }, { passphrase: "correct 'horse' \" ü" }],
  ])("%s", async (_, key, same) => {
    const file = join(temporaryFolder(), "stats.db");
    const writer = sqlcipherStore({ file, key, driver, thread: "same" });
    await writer.begin({ startedAt: 1, flushEveryMs: 1, seen: null });
    await writer.close();
    const reader = sqlcipherReader({ file, key: same, driver, thread: "same" });
    expect(await reader.sessions()).toHaveLength(1);
    await reader.close();
    const other = sqlcipherReader({ file, key: WRONG_KEY, driver, thread: "same" });
    await expect(other.sessions()).rejects.toMatchObject({ code: "STATS_KEY_REJECTED" });
  });
});

test("the key is not among what Node.js prints when it debugs workers", () => {
  const program = (body: string) => {
    const script = `
      import { Worker } from "node:worker_threads";
      import { sqlcipherReader, verifyFile } from ${JSON.stringify(new URL("../../../dist/store/sqlcipher/store.js", import.meta.url).href)};
      const key = process.argv[1], file = "/nowhere/at-all.db";
      ${body}`;
    const args = ["--input-type=module", "--eval", script, KEY];
    const { stdout, stderr } = spawnSync(process.execPath, args, { env: { NODE_DEBUG: "worker" }, encoding: "utf8" });
    expect(stderr).toMatch(/WORKER \d+/);
    return stdout + stderr;
  };
  const calls = `for (const call of [() => sqlcipherReader({ file, key }).sessions(), () => verifyFile({ file, key })]) {
    await call().catch((error) => console.log(error.code));
  }`;
  const said = program(calls);
  expect(said).toMatch(/^STATS_MISSING$/m);
  expect(said).not.toContain(KEY);
  const control = program(`new Worker("", { eval: true, workerData: { key } })`);
  expect(control).toContain(KEY);
});
