import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MARK, searchCanaries } from "./oracle/canary.ts";
import { runPart } from "./parts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "agent-stats-parts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What becomes of a part whose module is this program. */
function run(program: string): Promise<string> {
  const path = join(folder, "part.mjs");
  writeFileSync(path, program);
  const module = pathToFileURL(path);
  return runPart<{ folder: string }, string>({ module, job: { folder }, progress: () => {}, died: (how) => how });
}

describe("a part of a trial", () => {
  test("answers; what it said stands in the folder, where it is searched for secrets", async () => {
    const said = `console.log("user-" + ["${MARK.slice(0, 4)}", "${MARK.slice(4)}"].join(""));`;
    const answer = `process.once("message", () => process.send({ result: "done" }));`;
    expect(await run(said + answer)).toBe("done");
    expect(searchCanaries(folder).hits.map(({ where }) => where)).toEqual([expect.stringMatching(/^outputs\/part-/)]);
  });

  test("that dies tells how, and what it said last", async () => {
    expect(await run(`console.error("no room"); process.exit(3);`)).toMatch(/^the process ended with code 3: no room/);
    expect(await run(`process.kill(process.pid, "SIGKILL");`)).toMatch(/^the process died of SIGKILL/);
  });
});
