import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ALL, type Entry, WHAT } from "./ledger.ts";
import { endedOtherwise, judgeFile, type LivedLife } from "./life.ts";

const KILLED = { code: null, signal: "SIGKILL" } as const;
const KILL: Entry = { what: WHAT.kill, counter: 0, user: ALL, server: ALL, amount: 0, at: 1 };

const lived = (given: Partial<LivedLife>): LivedLife => ({
  entries: [],
  ended: KILLED,
  startedAt: 0,
  killedAt: null,
  said: "",
  ...given,
});

describe("the end of a process", () => {
  test("is what it was to be: killed from within or from outside, or as it was told to end", () => {
    expect(endedOtherwise(lived({ entries: [KILL] }), KILLED)).toEqual([]);
    expect(endedOtherwise(lived({ killedAt: 5 }), KILLED)).toEqual([]);
    const exited = { code: 0, signal: null };
    expect(endedOtherwise(lived({ ended: exited }), exited)).toEqual([]);
  });

  test.each<[string, Partial<LivedLife>]>([
    ["an exception that nobody caught", { ended: { code: 1, signal: null } }],
    ["a driver that aborts after the kill was told", { ended: { code: null, signal: "SIGABRT" }, entries: [KILL] }],
    ["a driver that crashes", { ended: { code: null, signal: "SIGSEGV" } }],
    ["a kill that nobody here made", {}],
  ])("is seen to be a crash: %s", (_, given) => {
    const [finding] = endedOtherwise(lived({ said: "Error: it says why", ...given }), KILLED);
    expect(finding).toMatchObject({ wrong: "crashed", what: expect.stringContaining("it says why") });
  });
});

describe("a file", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "life-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("that cannot be opened is corrupt, and ends no trial", async () => {
    const file = join(folder, "stats.db");
    writeFileSync(file, Buffer.alloc(8192, 7));
    const { findings } = await judgeFile({ file, flushEveryMs: 100 }, lived({ killedAt: 5 }), new Map());
    expect(findings).toEqual([{ wrong: "corrupt", what: expect.stringMatching(/^it cannot be read: SQLITE_\w+: /) }]);
  });
});
