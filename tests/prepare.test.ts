import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isNewest, isUpToDate, whyInstall } from "../scripts/prepare.js";

describe("whether an install is needed", () => {
  const lock = (packages: Record<string, object>) => ({ packages });
  const chalk = { version: "5.0.0", integrity: "sha512-a" };
  const wanted = lock({
    "": { name: "root" },
    "node_modules/chalk": chalk,
    "node_modules/agent-stats": { resolved: "packages/agent-stats", link: true },
    "node_modules/for-another-platform": { version: "1.0.0", integrity: "sha512-b", optional: true },
    "packages/agent-stats": { version: "0.1.0" },
  });
  const installed = {
    "node_modules/chalk": { ...chalk, resolved: "from somewhere" },
    "node_modules/agent-stats": { resolved: "packages/agent-stats", link: true },
  };

  test("not when all is there but what is for another platform", () => {
    expect(whyInstall(wanted, lock(installed))).toBeNull();
  });

  test.each([
    ["nothing is installed", null],
    ["a package is missing", lock({ ...installed, "node_modules/chalk": undefined as unknown as object })],
    ["a version differs", lock({ ...installed, "node_modules/chalk": { ...chalk, version: "5.0.1" } })],
    ["the content differs", lock({ ...installed, "node_modules/chalk": { ...chalk, integrity: "sha512-c" } })],
    ["a link leads elsewhere", lock({ ...installed, "node_modules/agent-stats": { resolved: "old", link: true } })],
    ["a package is no longer wanted", lock({ ...installed, "node_modules/left-over": chalk })],
  ])("when %s", (_, found) => {
    expect(whyInstall(wanted, found)).toEqual(expect.any(String));
  });
});

describe("whether a build is needed", () => {
  test("not when every project is up to date", () => {
    expect(isUpToDate("12:00:00 - Project '/a' is up to date\n\n12:00:00 - Project '/b' is up to date\n")).toBe(true);
  });

  test.each([
    [
      "a project is to be built",
      "12:00 - A non-dry build would build project '/a'\n12:00 - Project '/b' is up to date\n",
    ],
    ["the dry run says nothing", ""],
    ["the dry run says something else", "error TS5083: Cannot read file"],
  ])("when %s", (_, output) => {
    expect(isUpToDate(output)).toBe(false);
  });
});

describe("whether the viewer is to be bundled", () => {
  const file = (folder: string, name: string, seconds: number) => {
    writeFileSync(join(folder, name), "");
    utimesSync(join(folder, name), seconds, seconds);
    return join(folder, name);
  };

  test("when it is not there, or older than something that it is made of", () => {
    const folder = mkdtempSync(join(tmpdir(), "agent-stats-prepare-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [old, bundle, young] = [file(folder, "old", 1), file(folder, "bundle", 2), file(folder, "young", 3)];
    expect(isNewest(bundle, [old, bundle])).toBe(true);
    expect(isNewest(bundle, [old, young])).toBe(false);
    expect(isNewest(join(folder, "none"), [old])).toBe(false);
  });
});
