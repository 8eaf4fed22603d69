import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { openAgentStats, StatsError } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import type { Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { folder, KEY, keyFile, protocol } from "../cli.testing.ts";
import { type Database, openDatabase } from "./database.ts";
import { nothingCounted, type Run, story, thousandServers, threeServers, writeHistory } from "./fixtures.testing.ts";
import { serveViewer, type ViewerServer } from "./server.ts";

export interface Served extends ViewerServer {
  readonly db: string;
  /** What the command takes to read the same file. */
  readonly args: readonly string[];
}

export interface Fixture {
  readonly runs?: (now: number) => Run[];
  readonly key?: string;
  /** Does something to the file before it is served. */
  readonly change?: (file: string) => void;
  readonly database?: (real: Database) => Database;
  readonly canWrite?: boolean;
  readonly hiddenUsers?: readonly string[];
  /** Whether an app counts into the file while it is looked at. */
  readonly live?: boolean;
  /** Whether the server is out of reach after the first look. */
  readonly stale?: boolean;
}

const failing = (code: "STATS_BUSY" | "STATS_NEWER_SCHEMA") => (real: Database) => ({
  ...real,
  getServersStats: () => Promise.reject(new StatsError(code, "The library's own sentence.")),
});

/** Everything that the page can be asked to show. */
export const FIXTURES = {
  "first run": {},
  "nothing counted": { runs: nothingCounted },
  "3 servers": { runs: threeServers, canWrite: true },
  "1 000 servers": { runs: thousandServers },
  "a story": { runs: story },
  live: { runs: threeServers, live: true },
  stale: { runs: threeServers, stale: true },
  "clock moved": { runs: (now: number) => threeServers(now + 5 * 3_600_000) },
  "wrong key": { runs: threeServers, key: "ff".repeat(32) },
  "in use": { runs: threeServers, database: failing("STATS_BUSY") },
  "newer schema": { runs: threeServers, database: failing("STATS_NEWER_SCHEMA") },
} satisfies Record<string, Fixture>;

/** Serves a real file with this history. */
export async function serveFixture(fixture: Fixture, now = Date.now()): Promise<Served> {
  const path = folder();
  const db = join(path, "stats.db");
  if (fixture.runs) await writeHistory(db, fixture.runs(now));
  fixture.change?.(db);
  if (fixture.live) await countALittle(db);
  const real = openDatabase({ file: db, key: fixture.key ?? KEY });
  const { canWrite = false, hiddenUsers = [] } = fixture;
  const server = await serveViewer({ database: fixture.database?.(real) ?? real, canWrite, hiddenUsers });
  onTestFinished(() => server.close());
  return { ...server, db, args: ["--db", db, "--key-file", keyFile(path)] };
}

/** An app that counts into the same file. */
export async function running(file: string) {
  const stats = await openAgentStats({
    store: sqlcipherStore({ file, key: KEY }),
    protocols: [protocol],
    flushEvery: 60,
  });
  onTestFinished(() => stats.close());
  const server = stats.server(protocol, "anna", "wss://live.example");
  return { stats, server };
}

async function countALittle(file: string): Promise<void> {
  const { stats, server } = await running(file);
  server.add("sent", 2_011);
  await stats.flush();
}

export const SCREENS = ["Overview", "Servers", "Sessions", "Report"] as const;

/** The button of the navigation: another one may bear the same word. */
export async function goTo(page: Page, screen: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name: screen, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: screen }).waitFor();
}

/** Waits until nothing is being read or made any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main").waitFor();
  await expect.poll(() => page.locator(".loading").count(), { timeout: 20_000 }).toBe(0);
  await expect.poll(() => page.getByText("Looking at what was counted").count(), { timeout: 20_000 }).toBe(0);
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds, with every rule that it has. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  // axe's own bookkeeping is no fault of the page: the policy forbids markup made from text, so its results come as JSON.
  const found: { id: string; nodes: { html: string; failureSummary: string }[] }[] = JSON.parse(
    await page.evaluate("axe.run().then(({ violations }) => JSON.stringify(violations))"),
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
  );
}

/** Something that is wider than the page, so that one would have to scroll sideways to read. */
export async function tooWide(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return "";
    const wide = [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > width + 1 && !each.closest(".scroll"));
    return wide.slice(0, 5).map((each) => each.outerHTML.slice(0, 120)).join("\\n") || "scrolls to " + document.documentElement.scrollWidth;
  })()`);
}
