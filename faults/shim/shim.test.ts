import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { buildShim } from "./shim.ts";

const folder = mkdtempSync(join(tmpdir(), "agent-stats-shim-"));
const before = process.env.PATH;
afterEach(() => {
  process.env.PATH = before;
  rmSync(folder, { recursive: true, force: true });
});

/** A machine on which nothing is found but this compiler. */
function withCompiler(script: string | null): void {
  mkdirSync(folder, { recursive: true });
  if (script !== null) writeFileSync(join(folder, "cc"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env.PATH = folder;
}

describe.runIf(process.platform === "linux")("a shim", () => {
  test("is skipped where there is no compiler", () => {
    withCompiler(null);
    expect(buildShim("fault", folder)).toEqual({ whyNot: "there is no C compiler (cc)" });
  });

  test("that the compiler refuses is an error, and no reason to skip", () => {
    withCompiler("echo 'fault.c:1: error' >&2; exit 1");
    expect(() => buildShim("fault", folder)).toThrow("could not build shim/fault.c");
  });
});
