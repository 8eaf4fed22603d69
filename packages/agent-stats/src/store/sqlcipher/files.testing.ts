/** For tests on real files: every driver that can run here, folders that vanish after the tests, and what is in them. */
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { DRIVER_NAMES, type DriverName, whyNot } from "./drivers.ts";

/** How long something is waited for that happens by itself: a busy machine is no reason to fail. */
export const PATIENCE = { timeout: 20_000 };

export const KEY = "5a".repeat(32);

/** The suite once for each driver; says why where one cannot run here. */
export function describeDrivers(what: string, suite: (driver: DriverName) => void): void {
  for (const driver of DRIVER_NAMES) {
    const reason = whyNot(driver);
    if (reason !== null) console.log(`skipped: ${what} on ${driver}: ${reason}`);
    describe.skipIf(reason !== null)(`${what}, ${driver}`, () => suite(driver));
  }
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, removed when the suite is over: tests that run at the same time have no end of their own. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "agent-stats-"));
  folders.push(folder);
  return folder;
}

/** What is in a folder, to the byte: the hash of each file by its name, and "folder" for each folder. */
export function bytesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name);
      return [name, lstatSync(path).isDirectory() ? "folder" : hashOf(path)];
    }),
  );
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
