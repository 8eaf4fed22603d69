import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { knownProtocols } from "../known.ts";
import type { Database, ReportWishes } from "./database.ts";
import { HEADERS, ICON, PAGE, PAGE_SCRIPT } from "./page.ts";

export interface RouteOptions {
  readonly database: Database;
  /** The library's viewer, as it was built. */
  readonly viewer: string;
  readonly csrf: string;
  readonly canWrite: boolean;
  readonly hiddenUsers: readonly string[];
  /** Told that somebody is looking: from now on, or no longer. */
  readonly onLooking: (looking: boolean) => void;
}

/** The longest body: the name of a user, or what is wished of a report. */
const LONGEST_BODY = 16_384;
/** Reports that were looked at and not saved: the oldest is forgotten. */
const MOST_REPORTS = 8;
/** A page that is gone is noticed by what cannot be sent to it. */
const STILL_HERE_EVERY_MS = 15_000;

const SCRIPT = "text/javascript; charset=utf-8";

/** What is answered to whoever the guard lets in. */
export function routesOf(options: RouteOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
  });
  app.onError((error, context) => {
    const { code, message } = asCoded(error);
    return context.json({ code, message }, code === "USAGE" ? 400 : 503);
  });
  app.notFound((context) => context.text("There is no such page.", 404));
  app.get("/", (context) => context.html(PAGE));
  app.get("/page.js", (context) => asset(context, PAGE_SCRIPT, SCRIPT));
  app.get("/viewer.js", (context) => asset(context, options.viewer, SCRIPT));
  app.get("/icon.svg", (context) => asset(context, ICON, "image/svg+xml"));
  addReading(app, options);
  addReports(app, options.database);
  if (options.canWrite) addWriting(app, options.database);
  return app;
}

/** What the page is told of an error: what the library says for people. Of one that nobody foresaw, nothing. */
function asCoded(error: Error): { readonly code: string; readonly message: string } {
  const code = "code" in error ? String(error.code) : "";
  if (code === "USAGE" || code.startsWith("STATS_")) return { code, message: error.message };
  return { code: "STATS_STORE_FAILED", message: "The database failed in a way that has no name here: try again." };
}

function asset(context: Context, text: string, type: string): Response {
  return context.body(text, 200, { "content-type": type });
}

function addReading(app: Hono, { database, csrf, canWrite, hiddenUsers, onLooking }: RouteOptions): void {
  app.get("/api/about", async (context) =>
    context.json({ csrf, canWrite, hiddenUsers, protocols: await knownProtocols() }),
  );
  app.get("/api/stats", async (context) => context.json(await database.getServersStats()));
  app.get("/api/sessions", async (context) => context.json(await database.getSessions()));
  app.get("/api/timeline", async (context) => context.json(await database.getTimeline()));
  app.get("/api/events", (context) =>
    streamSSE(context, async (stream) => {
      onLooking(true);
      const stop = database.watch(() => void stream.writeSSE({ event: "changed", data: "" }));
      const timer = setInterval(() => void stream.write(": still here\n\n"), STILL_HERE_EVERY_MS);
      await new Promise<void>((gone) => stream.onAbort(gone));
      clearInterval(timer);
      stop();
      onLooking(false);
    }),
  );
}

function addReports(app: Hono, database: Database): void {
  const made = new Map<string, { readonly key: Uint8Array; readonly caseId: string | null }>();
  app.post("/api/report", async (context) => {
    const wishes = wishesIn(await bodyOf(context));
    const { key, json, html, replaced } = await database.makeReport(wishes);
    const id = randomUUID();
    made.set(id, { key, caseId: wishes.caseId });
    for (const old of [...made.keys()].slice(0, -MOST_REPORTS)) made.delete(old);
    return context.json({ id, json, html, replaced });
  });
  app.post("/api/report/keep", async (context) => {
    const { id } = await bodyOf(context);
    const report = made.get(String(id));
    if (!report) throw asUsage("This report was looked at too long ago: make it again.");
    await database.keepReportKey(report.key, report.caseId);
    return context.json({});
  });
}

function addWriting(app: Hono, database: Database): void {
  app.post("/api/forget", async (context) => {
    const { userId, confirm } = await bodyOf(context);
    if (typeof userId !== "string" || userId === "" || confirm !== userId) {
      throw asUsage("Type the user's name to forget it.");
    }
    await database.forget(userId);
    return context.json({});
  });
  app.post("/api/reset", async (context) => {
    const { confirm } = await bodyOf(context);
    if (confirm !== "reset") throw asUsage("Type the word reset to start from zero.");
    await database.reset();
    return context.json({});
  });
}

function asUsage(message: string): Error {
  return Object.assign(new Error(message), { code: "USAGE" });
}

async function bodyOf(context: Context): Promise<Record<string, unknown>> {
  const unreadable = asUsage("The request's body is not an object of JSON.");
  if (Number(context.req.header("content-length") ?? Number.NaN) > LONGEST_BODY) throw unreadable;
  const text = await context.req.text();
  if (text.length > LONGEST_BODY) throw unreadable;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    throw unreadable;
  }
  throw unreadable;
}

const LONGEST_CASE = 100;

function wishesIn({ caseId, coarse, publicServers, withoutUsers }: Record<string, unknown>): ReportWishes {
  const isCase = typeof caseId === "string" && caseId !== "" && caseId.length <= LONGEST_CASE;
  if (caseId !== null && !isCase) throw asUsage(`A case's name has 1 to ${LONGEST_CASE} characters.`);
  if (!Array.isArray(withoutUsers)) throw asUsage("Who is left out of a report is a list of users.");
  return {
    ...{ caseId: isCase ? caseId : null, coarse: coarse === true, publicServers: publicServers === true },
    withoutUsers: withoutUsers.map(String),
  };
}
