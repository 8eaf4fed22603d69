import { randomUUID } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServersStats, StatsView } from "agent-stats";
import type { Report } from "agent-stats/report";
import type { StatsKey } from "agent-stats/sqlcipher";
import type { CliContext } from "../context.ts";
import { CliError } from "../errors.ts";
import type { ReportFlags } from "../flags-of-verbs.ts";
import { knownProtocols } from "../known.ts";
import { change, keyFor, look, openView } from "../source.ts";
import { printable } from "../text/cells.ts";
import { plural } from "../text/plural.ts";

/** `agent-stats report`: what an engineer needs to understand a bug, and no name of a user or a server. */
export async function report(this: CliContext, flags: ReportFlags): Promise<void> {
  const out = flags.json ? null : (flags.out ?? defaultName(new Date()));
  if (flags.json && flags.out !== undefined) {
    throw new CliError("USAGE", "--json prints the report, --out saves it: give one of the two.");
  }
  if (out !== null && ![".html", ".json"].includes(extname(out))) {
    throw new CliError("USAGE", "A report is a page or its JSON: end the name of --out in .html or .json.");
  }
  const key = await keyFor(flags, this);
  const { reportKey, isNew } = await keyOfReport(flags, key);
  const made = await makeFrom(flags, key, reportKey, (sentence) => this.process.stderr.write(`${sentence}\n`));
  // Kept before anybody can have the report: a pseudonym that nobody can resolve is of no use to the user.
  if (isNew) {
    const kept = { made: Date.now(), key: reportKey, caseId: flags.case ?? null };
    await change(flags, key, (store) => store.addReportKey(kept));
  }
  if (out === null) {
    this.process.stdout.write(made.json.endsWith("\n") ? made.json : `${made.json}\n`);
    return;
  }
  save(out, extname(out) === ".html" ? made.html : made.json);
  this.process.stdout.write(reportText(made, out));
}

/** Reports of one case share one key, so that they correlate; any other has its own. */
async function keyOfReport(flags: ReportFlags, key: StatsKey) {
  const { newReportKey } = await import("agent-stats/report");
  const kept = await look(flags, key, (reader) => reader.reportKeys());
  const ofCase = flags.case === undefined ? undefined : kept.findLast(({ caseId }) => caseId === flags.case);
  return { reportKey: ofCase?.key ?? newReportKey(), isNew: ofCase === undefined };
}

async function makeFrom(
  flags: ReportFlags,
  key: StatsKey,
  reportKey: Uint8Array,
  tell: (sentence: string) => void,
): Promise<Report> {
  const { makeReport } = await import("agent-stats/report");
  const view = await openView(flags, key);
  try {
    const recorded = flags.record ? await recording(view, tell) : null;
    return await makeReport({
      stats: await view.getServersStats(),
      timeline: await view.getTimeline({ by: "hour" }),
      key: reportKey,
      caseId: flags.case ?? null,
      protocols: await knownProtocols(),
      coarse: flags.coarse ?? false,
      recorded,
      ...(flags.hidePublic && { publicServers: [] }),
    });
  } finally {
    await view.close();
  }
}

/** Longer than the flush interval of any app that keeps to the default. */
const NEXT_SAVE_MS = 6_000;
const BETWEEN_LOOKS_MS = 200;

/** Start, reproduce, stop: the numbers before, and when it began and ended. */
async function recording(view: StatsView, tell: (sentence: string) => void) {
  const before = await view.getServersStats();
  const started = new Date();
  tell("Recording. Reproduce the problem now, then press Enter (or Ctrl-C).");
  await stopped();
  const end = new Date();
  if (isRunning(before)) tell("Stopped. Waiting for the app's next save …");
  const patience = end.getTime() + NEXT_SAVE_MS;
  for (
    let now = await view.getServersStats();
    isRunning(now) && Date.now() < patience;
    now = await view.getServersStats()
  ) {
    if (now.lastSaved !== null && now.lastSaved > end) break;
    await sleep(BETWEEN_LOOKS_MS);
  }
  return { before, started, stopped: end };
}

function isRunning({ sessions }: ServersStats): boolean {
  return sessions.some(({ how }) => how === "running");
}

/** Enter, or an end that somebody asks for. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, done);
      process.stdin.off("data", onData);
      process.stdin.off("end", done);
      process.stdin.pause();
      resolve();
    };
    const onData = (data: Buffer) => {
      if (data.includes("\n")) done();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, done);
    process.stdin.on("data", onData);
    // A stdin that has ended already, as with --key-file -, tells nothing: the signal is waited for.
    process.stdin.on("end", done);
    process.stdin.resume();
  });
}

/** Never over another file, and for its owner only. */
function save(path: string, content: string): void {
  let fd: number;
  try {
    fd = openSync(path, "wx", 0o600);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    throw new CliError(
      "REPORT_NOT_SAVED",
      WHY_NOT_SAVED[String(code)] ?? "The report cannot be saved there: name another file.",
    );
  }
  try {
    writeSync(fd, content);
  } finally {
    closeSync(fd);
  }
}

const WHY_NOT_SAVED: Readonly<Record<string, string>> = {
  EEXIST: "There is a file of this name already: name another one by --out.",
  ENOENT: "There is no such folder: make it, or name another one by --out.",
  EACCES: "Nothing can be saved in this folder by this user: name another one by --out.",
};

/** To the hour, as all times of a report are; the rest keeps two of one hour apart. */
function defaultName(now: Date): string {
  const [day, hour] = now.toISOString().slice(0, 13).split("T");
  return `agent-stats-report-${day}-${hour}h-${randomUUID().slice(0, 4)}.html`;
}

function recordedLines({ recorded }: Report["document"]): string[] {
  if (recorded === null) return [];
  const { seconds, servers } = recorded;
  const counted = new Set(servers.map(({ server }) => server)).size;
  return [
    `  recorded   ${seconds} s, ${counted === 0 ? "nothing counted" : `counted at ${plural(counted, "server")}`} meanwhile`,
  ];
}

function reportText({ replaced: { servers, users, visible }, document }: Report, out: string): string {
  return [
    `saved as ${printable(out)}`,
    `  replaced   ${plural(servers, "server")} by pseudonyms, ${plural(users, "user")} by numbers`,
    `  left       ${visible.length === 0 ? "no name" : `${plural(visible.length, "well-known public server")}`}`,
    `  included   ${plural(document.sessions.length, "session")}, times to the hour, counts ${document.coarse ? "rounded" : "exact"}`,
    ...recordedLines(document),
    "  look at it before you send it; agent-stats resolve srv-… tells only you who",
    "",
  ].join("\n");
}
