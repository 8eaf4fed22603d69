import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import SqliteDatabase from "@signalapp/sqlcipher";
import { openAgentStats } from "agent-stats";
import { sqlcipherStore } from "agent-stats/sqlcipher";
import type { Browser, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import { folder, KEY, keyFile, PACKAGE, protocol } from "../cli.testing.ts";
import { type Look as BrowserLook, lookAt } from "./browser.testing.ts";
import { type Database, openDatabase } from "./database.ts";
import {
  failingAllTheTime,
  nothingCounted,
  type Run,
  story,
  thousandServers,
  threeServers,
  writeHistory,
} from "./fixtures.testing.ts";
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
  readonly change?: (file: string) => void | Promise<void>;
  /** What is asked of the database and not answered while the page is looked at. */
  readonly silent?: "getServersStats" | "getTimeline";
  readonly canWrite?: boolean;
  readonly hiddenUsers?: readonly string[];
  /** Whether an app counts into the file while it is looked at. */
  readonly live?: boolean;
  /** Whether the server is out of reach after the first look. */
  readonly stale?: boolean;
}

/** What a version that is not written yet may have done to it. */
function fromLater(file: string): void {
  const handle = new SqliteDatabase(file);
  handle.exec(`PRAGMA key = "x'${KEY}'"; UPDATE agent_stats_meta SET value = 999 WHERE name = 'schema_version'`);
  handle.close();
}

/** Another process that lets nobody read. In this one SQLite's locks would keep nobody out. */
export async function hold(file: string): Promise<() => void> {
  const script = `
    const Database = require("@signalapp/sqlcipher").default ?? require("@signalapp/sqlcipher");
    const handle = new Database(process.argv[1]);
    handle.exec("PRAGMA key = \\"x'" + process.argv[2] + "'\\"; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    console.log("held");
    setInterval(() => {}, 1_000);`;
  const holder = spawn(process.execPath, ["-e", script, file, KEY], {
    cwd: PACKAGE,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  return () => void holder.kill("SIGKILL");
}

/** Everything that the page can be asked to show. */
export const FIXTURES = {
  "first run": {},
  "nothing counted": { runs: nothingCounted },
  "3 servers": { runs: threeServers, canWrite: true },
  "1 000 servers": { runs: thousandServers },
  "a story": { runs: story },
  "failing all the time": { runs: failingAllTheTime },
  live: { runs: threeServers, live: true },
  stale: { runs: threeServers, stale: true },
  "clock moved": { runs: (now: number) => threeServers(now + 5 * 3_600_000) },
  "wrong key": { runs: threeServers, key: "ff".repeat(32) },
  damaged: { runs: threeServers, change: damage },
  "cut off": { runs: threeServers, change: cutOff },
  "in use": { runs: threeServers, change: async (file) => void (await hold(file)) },
  "newer schema": { runs: threeServers, change: fromLater },
  loading: { runs: threeServers, silent: "getServersStats" },
  "history loading": { runs: threeServers, silent: "getTimeline" },
} satisfies Record<string, Fixture>;

/** Serves a real file with this history. */
export async function serveFixture(fixture: Fixture, now = Date.now()): Promise<Served> {
  const path = folder();
  const db = join(path, "stats.db");
  if (fixture.runs) await writeHistory(db, fixture.runs(now));
  await fixture.change?.(db);
  if (fixture.live) await countALittle(db);
  const real = openDatabase({ file: db, key: fixture.key ?? KEY });
  const { canWrite = false, hiddenUsers = [], silent } = fixture;
  const database: Database = silent ? { ...real, [silent]: () => new Promise(() => {}) } : real;
  const server = await serveViewer({ database, canWrite, hiddenUsers });
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

/** An app in a process of its own, which has saved once and then runs on without a change. Returns how to kill it. */
export async function runningElsewhere(file: string): Promise<() => Promise<unknown>> {
  const script = `
    import { defineProtocol, openAgentStats } from "agent-stats";
    import { sqlcipherStore } from "agent-stats/sqlcipher";
    const store = sqlcipherStore({ file: process.argv[1], key: process.argv[2] });
    const chat = defineProtocol("chat", { sent: "messages sent" });
    const stats = await openAgentStats({ store, protocols: [chat], flushEvery: 2_500 });
    stats.server(chat, "anna", "wss://live.example").add("sent", 2_011);
    await stats.flush();
    console.log("saved");
    setInterval(() => {}, 1_000);`;
  const app = spawn(process.execPath, ["--input-type=module", "-e", script, file, KEY], {
    cwd: PACKAGE,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void app.kill("SIGKILL"));
  await once(app.stdout, "data");
  return () => {
    app.kill("SIGKILL");
    return once(app, "exit");
  };
}

async function countALittle(file: string): Promise<void> {
  const { stats, server } = await running(file);
  server.add("sent", 2_011);
  await stats.flush();
}

/** All of the first page: from outside, it is the same as another key. */
function damage(file: string): void {
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 0, 4_096);
  writeFileSync(file, bytes);
}

/** All but the first page: the key fits it. */
function cutOff(file: string): void {
  truncateSync(file, 4_096);
}

const SCREENS = ["Overview", "Servers", "Sessions", "Report"] as const;

/** The button of the navigation: another one may bear the same word. */
export async function goTo(page: Page, screen: string): Promise<void> {
  await page.getByRole("navigation").getByRole("button", { name: screen, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: screen }).waitFor();
}

/** Waits until nothing is being read or made any more; but for what is never answered. */
export async function settled(page: Page, { silent }: Fixture = {}): Promise<void> {
  await page.locator("main").waitFor();
  if (silent) return;
  await expect.poll(() => page.locator(".loading").count(), { timeout: 20_000 }).toBe(0);
  await expect.poll(() => page.getByText("Looking at what was counted").count(), { timeout: 20_000 }).toBe(0);
}

/** A page of its own on a real file with this history, when all of it is there. */
export async function openFixture(browser: Browser, fixture: Fixture, look?: BrowserLook) {
  const server = await serveFixture(fixture);
  const looking = await lookAt(browser, look);
  await looking.page.goto(server.link);
  await settled(looking.page, fixture);
  return { server, ...looking };
}

type Visit = (screen: string) => Promise<void>;

/** Everything that can be seen of a page, one after the other. */
export async function everyScreen(page: Page, fixture: Fixture, visit: Visit): Promise<void> {
  await visit("first");
  if (fixture.silent === "getServersStats" || (await page.locator(".message").count()) > 0) return;
  for (const screen of [...SCREENS, "Actions"]) {
    if ((await page.getByRole("navigation").getByRole("button", { name: screen }).count()) === 0) continue;
    await goTo(page, screen);
    await settled(page, fixture);
    await visit(screen);
    await inOtherStates(page, screen, visit);
  }
  await goTo(page, "Servers");
  const first = page.locator("tbody button.link").first();
  if ((await first.count()) === 0) return;
  await first.click();
  await settled(page, fixture);
  await page.locator("button.what").first().click();
  const folded = page.getByRole("button", { name: /^Show \d+ counters/ });
  if ((await folded.count()) > 0) await folded.click();
  if (fixture.silent !== "getTimeline") await page.getByText("The same as a table").click();
  await visit("Server");
}

/** What is only there after somebody did something. */
async function inOtherStates(page: Page, screen: string, visit: Visit): Promise<void> {
  const hide = page.getByRole("button", { name: "Hide names" });
  const isHidden = (await hide.getAttribute("aria-pressed")) === "true";
  if (screen === "Overview" && !isHidden) {
    const pause = page.getByRole("button", { name: "Pause" });
    await pause.click();
    await hide.click();
    await visit("Overview, paused, without names");
    await pause.click();
    await hide.click();
  }
  if (screen === "Servers") {
    await page.getByRole("searchbox").fill("no such server");
    await visit("Servers, no match");
    await page.getByRole("searchbox").fill("");
  }
  if (screen === "Sessions" && (await page.getByLabel(/Compare session/).count()) > 1) {
    for (const session of [0, 1])
      await page
        .getByLabel(/Compare session/)
        .nth(session)
        .check();
    await visit("Sessions, two compared");
  }
  if (screen === "Report" && !isHidden) {
    const name = page.getByRole("textbox");
    await name.fill("anna");
    await name.blur();
    await page.locator("[role=alert], pre.preview").first().waitFor();
    await visit("Report, refused");
  }
  if (screen === "Actions") {
    await page.getByRole("button", { name: "Reset all statistics" }).click();
    await visit("Actions, another word");
  }
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
