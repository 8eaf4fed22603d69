import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Verdict } from "./evidence.ts";
import { decryptPages } from "./pages.ts";

describe("the demo, in short", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "agent-stats-demo-test-")), "kept");
  let ran: { code: number | null; stdout: string; stderr: string };

  beforeAll(async () => {
    ran = await demo(["--short", "--json", "--dir", folder]);
  }, 90_000);
  afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

  test("ends well, and says so in its last line", () => {
    const lines = ran.stdout.trimEnd().split("\n");
    const result = JSON.parse(lines.at(-1) ?? "");
    expect(
      result.verdicts.filter(({ ok }: Verdict) => !ok),
      ran.stderr,
    ).toEqual([]);
    expect(result).toMatchObject({
      ok: true,
      verdicts: { length: 12 },
      sessions: { length: 5 },
      servers: { length: 6 },
    });
    expect(ran.code).toBe(0);
    expect(result.command).toBe(`npx agent-stats show --db ${folder}/db/stats.db --key-file ${folder}/key/stats.key`);
  });

  test("tells in at most 80 columns what it does; only the command to copy is longer", () => {
    const lines = ran.stderr.split("\n");
    expect(lines.filter((line) => line.length > 80 && !line.includes(folder))).toEqual([]);
    expect(lines.join("\n")).toContain("All 12 verdicts hold.");
  });

  test("keeps the key for its owner alone", () => {
    expect(readFileSync(join(folder, "key", "stats.key"), "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
    expect(statSync(join(folder, "key", "stats.key")).mode & 0o777).toBe(0o600);
  });

  test("decrypts pages only with the key, and only whole ones", () => {
    const file = join(folder, "db", "stats.db");
    const key = readFileSync(join(folder, "key", "stats.key"), "utf8").trim();
    expect(Buffer.concat(decryptPages(file, key)).includes("bruno@example")).toBe(true);
    expect(() => decryptPages(file, "0".repeat(64))).toThrow("page 1 cannot be decrypted");
    const bytes = readFileSync(file);
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
    writeFileSync(`${folder}/changed`, bytes);
    expect(() => decryptPages(`${folder}/changed`, key)).toThrow("page 2 cannot be decrypted");
  });
});

describe("bad flags", () => {
  test.each([
    [["--dri", "x"], "Unknown option '--dri': see npm start -- --help.\n"],
    [["here"], "Unexpected argument 'here': see npm start -- --help.\n"],
    [["--dir"], "Option '--dir <value>' argument missing: see npm start -- --help.\n"],
    [["--dir="], "--dir needs the name of a folder.\n"],
    [["--dir", "/"], "The folder / is not empty: name a new or an empty one with --dir.\n"],
  ])("%j: one sentence and exit code 2", async (args, sentence) => {
    expect(await demo(args)).toEqual({ code: 2, stdout: "", stderr: sentence });
  });

  test("a folder that cannot be made", async () => {
    const ran = await demo(["--dir", join(fileURLToPath(import.meta.url), "x")]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/^The folder .* cannot be made or read \(ENOTDIR\): name another one with --dir\.\n$/);
  });
});

function demo(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = fileURLToPath(new URL("../dist/demo/demo.js", import.meta.url));
  if (!existsSync(program)) throw new Error("build the examples first: npm run build");
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}
