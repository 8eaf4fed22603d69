import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readingQuickly } from "./quick-reading.ts";

const folder = mkdtempSync(join(tmpdir(), "quick-"));
const path = join(folder, "file");
writeFileSync(path, "its bytes");
/** As the library reads; where a program is really started, there is none of this name. */
const read = () => execFileSync("/nowhere/cat", [path], { env: { AGENT_STATS_FILE: path } }).toString();

test("a judged file is read without a program, but each tenth as the library does it; nothing else is changed", async () => {
  const said: string[] = [];
  for (let n = 0; n < 30; n++) {
    await readingQuickly(async () => {
      try {
        said.push(read());
      } catch (error) {
        said.push((error as { code: string }).code);
      }
      expect(execFileSync("/bin/echo", ["other programs run"]).toString()).toBe("other programs run\n");
    });
  }
  expect(said.filter((text) => text === "its bytes")).toHaveLength(27);
  expect(said.filter((text) => text === "ENOENT")).toHaveLength(3);
  expect(read, "control: outside of it the program is missed").toThrow(/ENOENT/);
  rmSync(folder, { recursive: true });
});
