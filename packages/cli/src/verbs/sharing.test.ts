import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toPresentedServersSummary } from "agent-stats/simplex";
import { describe, expect, test } from "vitest";
import { agentStats, database, FAR, folder, KEY, keyFile, NEAR } from "../cli.testing.ts";
import { BROKER, databaseWithHistory, HISTORY_HOURS, MINE, OTHER } from "../history.testing.ts";

function withHistory() {
  const path = folder();
  const db = join(path, "stats.db");
  databaseWithHistory(db);
  return { path, db, args: ["--db", db, "--key-file", keyFile(path)] };
}

describe("report", () => {
  test("is saved for its owner only, names nobody, and its pseudonyms resolve here alone", async () => {
    const { path, args } = await database();
    const out = join(path, "report.json");
    const { code, stdout, stderr } = await agentStats(["report", ...args, "--out", out]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("  replaced   2 servers by pseudonyms, 3 users by numbers\n  left       no name\n");
    const text = readFileSync(out, "utf8");
    for (const name of [NEAR, FAR, "near.example", "smp8.example", ".onion"]) expect(text).not.toContain(name);
    if (process.platform !== "win32") expect(statSync(out).mode & 0o077).toBe(0);
    const { servers } = JSON.parse(text) as { servers: { server: string; overall: Record<string, number> }[] };
    const far = servers.find(({ overall }) => overall.sent === 17)?.server as string;
    const told = await agentStats(["resolve", far.toUpperCase(), ...args]);
    expect(told.stdout.replace(",\n", ",")).toMatch(/in the report of [\d: -]{16}\n$/);
    expect(told.stdout.replace(",\n", ",").startsWith(`${FAR}\n`)).toBe(true);
    const resolved = JSON.parse((await agentStats(["resolve", far, ...args, "--json"])).stdout);
    expect(resolved).toEqual({ pseudonym: far, resolved: [{ server: FAR, made: expect.any(String), caseId: null }] });
    const elsewhere = await database();
    expect(await agentStats(["resolve", far, ...elsewhere.args])).toMatchObject({ code: 4, stdout: "" });
  });

  test("is a page that opens from a file, by default; never over another file", async () => {
    const { path, args } = await database();
    const out = join(path, "report.html");
    expect(await agentStats(["report", ...args, "--out", out])).toMatchObject({ code: 0 });
    expect(readFileSync(out, "utf8")).toMatch(/^<!doctype html>/i);
    // By default it is called by the hour, as no time within is told more exactly.
    const { stdout } = await agentStats(["report", ...args], { cwd: path });
    expect(stdout).toMatch(/^saved as agent-stats-report-\d{4}-\d{2}-\d{2}-\d{2}h-[0-9a-f]{4}\.html\n/);
    const again = await agentStats(["report", ...args, "--out", out]);
    expect(again).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("[REPORT_NOT_SAVED]") });
  });

  test("two reports do not correlate; those of one case do, and diff says what changed", async () => {
    const { path, args } = await database();
    const made = async (...flags: string[]) => (await agentStats(["report", ...args, "--json", ...flags])).stdout;
    const namesIn = (text: string) => new Set(text.match(/srv-[a-z2-7]{8}/g));
    const [a, b] = [namesIn(await made()), namesIn(await made())];
    expect([...a].filter((name) => b.has(name))).toEqual([]);
    const [first, second] = [join(path, "first.json"), join(path, "second.json")];
    writeFileSync(first, await made("--case", "bug 7"));
    await agentStats(["reset", ...args, "--user", "2", "--confirm", "2"]);
    writeFileSync(second, await made("--case", "bug 7"));
    expect(namesIn(readFileSync(second, "utf8"))).toEqual(namesIn(readFileSync(first, "utf8")));
    const { code, stdout } = await agentStats(["diff", first, second]);
    expect(code).toBe(0);
    expect(stdout).toContain("servers   the same pseudonyms in both; 0 new, 0 gone");
    expect(stdout.replaceAll("\u202f", "_")).toMatch(
      /chat, all servers\n {2}counter {2}before {2}after {2}change\n {2}sent {6}1_045 {2}1_026 {5}−19\n/,
    );
    const json = JSON.parse((await agentStats(["diff", first, second, "--json"])).stdout);
    expect(json).toMatchObject({ correlates: true, totals: [{ changes: [{ before: 1045, after: 1026 }] }] });
  });

  test("--coarse rounds; --record brackets", async () => {
    const { args } = await database();
    const coarse = JSON.parse((await agentStats(["report", ...args, "--json", "--coarse"])).stdout);
    const sums = coarse.servers.flatMap(({ overall }: { overall: object }) => Object.values(overall));
    expect(sums).toContain(1_000);
    expect(sums).not.toContain(1_009);
    const recorded = await agentStats(["report", ...args, "--json", "--record"], { input: "\n" });
    expect(recorded.stderr).toBe("Recording. Reproduce the problem now, then press Enter (or Ctrl-C).\n");
    expect(JSON.parse(recorded.stdout).recorded).toMatchObject({ seconds: expect.any(Number), servers: [] });
    const saved = await agentStats(["report", ...args, "--out", join(folder(), "r.json"), "--record"], { input: "\n" });
    expect(saved.stdout).toMatch(/^ {2}recorded {3}\d+ s, nothing counted meanwhile$/m);
  });

  test.each([
    [["resolve", "x"], 2, "USAGE"],
    [["report", "--out", "x.txt"], 2, "USAGE"],
    [["report", "--json", "--out", "x.json"], 2, "USAGE"],
    [["report", "--out", "/nowhere/at/all.json"], 1, "REPORT_NOT_SAVED"],
    [["report", "--json", "--case", NEAR], 1, "STATS_REPORT_LEAKS"],
  ])("%j is refused: %d", async (words, code, name) => {
    const { args } = await database();
    const outcome = await agentStats([...words, ...args]);
    expect(outcome).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(`[${name}]`) });
  });

  test("diff of what is no report", async () => {
    const path = folder();
    writeFileSync(join(path, "a"), "{}");
    expect(await agentStats(["diff", join(path, "a"), join(path, "a")])).toMatchObject({ code: 5, stdout: "" });
    expect(await agentStats(["diff", join(path, "b"), join(path, "a")])).toMatchObject({ code: 4, stdout: "" });
  });
});

describe("export", () => {
  const exported = async (format: string, ...more: string[]) => {
    const { args } = withHistory();
    const { code, stdout, stderr } = await agentStats(["export", "--format", format, ...args, ...more]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };
  const BYTES = 12_347 * HISTORY_HOURS;

  test("ndjson and csv have every counter once, exactly", async () => {
    const rows = (await exported("ndjson"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(8);
    expect(rows).toContainEqual({
      ...{ protocol: "mqtt", userId: "1", server: BROKER, trackedSince: expect.any(String), counter: "bytesSent" },
      ...{ past: 0, session: BYTES, overall: BYTES },
    });
    const csv = (await exported("csv")).split("\r\n");
    expect(csv[0]).toBe("protocol,userId,server,trackedSince,counter,past,session,overall");
    expect(csv).toHaveLength(1 + 8 + 1);
    expect(csv.find((line) => line.includes("sentQuotaErrs"))).toMatch(
      /^smp,1,"smp:.+,.+",[\dT:.Z-]+,sentQuotaErrs,0,679,679$/,
    );
  });

  test("prometheus has the conventions' names, and a type for each", async () => {
    const text = await exported("prometheus");
    expect(text).toContain("# TYPE messaging_client_sent_messages_total counter\n");
    expect(text).toContain(
      `agentstats_bytes_sent_total{messaging_system="mqtt",server_address="${BROKER}",agentstats_user="1"} ${BYTES}\n`,
    );
    expect(text).toMatch(/messaging_client_sent_messages_total\{[^\n]*error_type="quota"\} 679\n/);
    for (const line of text.trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{.+\} \d+)$/);
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
  });

  test("opentelemetry is OTLP with cumulative sums", async () => {
    const { resourceMetrics } = JSON.parse(await exported("opentelemetry"));
    const { metrics } = resourceMetrics[0].scopeMetrics[0];
    const bytes = metrics.find(({ name }: { name: string }) => name === "agentstats.bytesSent");
    expect(bytes).toMatchObject({ unit: "By", sum: { aggregationTemporality: 2, isMonotonic: true } });
    expect(bytes.sum.dataPoints).toMatchObject([{ asInt: String(BYTES) }]);
    const { startTimeUnixNano, timeUnixNano } = bytes.sum.dataPoints[0];
    expect(BigInt(timeUnixNano) - BigInt(startTimeUnixNano)).toBeGreaterThan(
      BigInt(HISTORY_HOURS - 2) * 3_600_000_000_000n,
    );
  });

  test("what simplexmq keeps comes back the same through import", async () => {
    const path = folder();
    const file = join(path, "summary.json");
    writeFileSync(file, await exported("simplex-agent"));
    const args = ["--db", join(path, "again.db"), "--key-file", keyFile(path)];
    expect(await agentStats(["import", "simplex", file, ...args])).toMatchObject({ code: 0, stderr: "" });
    const { servers } = JSON.parse((await agentStats(["show", ...args, "--json"])).stdout);
    const sums = Object.fromEntries(
      servers.map(({ userId, server, overall }: { userId: string; server: string; overall: object }) => [
        `${userId} ${server}`,
        overall,
      ]),
    );
    expect(sums[`2 ${OTHER}`]).toEqual({ sentDirect: 3 * HISTORY_HOURS });
    expect(sums[`1 ${MINE}`]).toMatchObject({ sentQuotaErrs: 679, sentAuthErrs: 194 });
  });

  test("what SimpleX's app shows is what the library makes of it", async () => {
    const summary = JSON.parse(await exported("simplex", "--current-user", "2"));
    expect(Object.keys(summary)).toEqual(
      Object.keys(toPresentedServersSummary({ trackedSince: new Date(), servers: [] }, { currentUser: "2" })),
    );
    expect(summary.currentUserSMP.smpTotals.stats._sentDirect).toBe(3 * HISTORY_HOURS);
  });

  test("only what the scope covers", async () => {
    expect((await exported("ndjson", "--user", "2")).trimEnd().split("\n")).toHaveLength(1);
    const { args } = withHistory();
    const none = await agentStats(["export", "--format", "ndjson", ...args, "--server", "none"]);
    expect(none).toMatchObject({ code: 4, stdout: "", stderr: expect.stringContaining("[NOT_FOUND]") });
  });

  test("a spreadsheet is not made to run what a server is called", async () => {
    const { toCsv } = await import("../formats/rows.ts");
    const key = { protocol: "smp", userId: "1", server: '=cmd|"x"', trackedSince: null, live: {} };
    const numbers = { past: {}, session: { n: 1 }, overall: { n: 1 } };
    const stats = {
      trackedSince: new Date(0),
      lastSaved: null,
      sessions: [],
      rejected: {},
      servers: [{ ...key, ...numbers }],
    };
    expect(toCsv(stats).split("\r\n")[1]).toBe(`smp,1,"'=cmd|""x""",,n,0,1,1`);
  });
});

describe("explain", () => {
  test("tells what a counter means, where SimpleX shows it, and what it stands at", async () => {
    const { args } = withHistory();
    const { code, stdout } = await agentStats(["explain", "sentQuotaErrs", ...args]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "sentQuotaErrs (smp)",
      "  messages given up because the receiver's queue stayed full (QUOTA).",
      "",
      "  kind        a counter of failures",
      "  unit        a number of times",
      "  in SimpleX  _sentQuotaErrs; Servers info › Sent messages › Send errors › QUOTA",
      "  past        0",
      "  session     679",
      "  overall     679 at 1 server",
      "",
    ]);
    const { explained } = JSON.parse((await agentStats(["explain", "mqtt.bytesSent", ...args, "--json"])).stdout);
    expect(explained).toMatchObject([
      { protocol: "mqtt", unit: "bytes", now: { overall: 12_347 * HISTORY_HOURS, servers: 1 } },
    ]);
  });

  test("needs no database; knows the app's own by name where there is one; and says where it knows nothing", async () => {
    const { args } = await database();
    const known = await agentStats(["explain", "connSecured"]);
    expect(known.stdout).toMatch(/Secured, where iOS\s+shows connCreated instead/);
    const own = await agentStats(["explain", "uploadBytes", ...args]);
    expect(own).toMatchObject({ code: 0, stdout: expect.stringContaining("overall  1.00 MB at 1 server") });
    const near = await agentStats(["explain", "sentQuota"]);
    expect(near).toMatchObject({ code: 4, stdout: "", stderr: expect.stringContaining("did you mean sentQuotaErrs?") });
    expect(await agentStats(["explain", KEY])).toMatchObject({ code: 4, stderr: expect.not.stringContaining(KEY) });
  });

  test("every counter of SimpleX that its app shows has its label", async () => {
    const { SIMPLEX_LABELS } = await import("../text/simplex-labels.ts");
    const { smp, xftp } = await import("agent-stats/simplex");
    const names = [smp, xftp].flatMap(({ name, counters }) => counters.map((counter) => `${name}.${counter.name}`));
    expect(Object.keys(SIMPLEX_LABELS).toSorted()).toEqual(names.toSorted());
    expect(new Set(Object.values(SIMPLEX_LABELS)).size).toBe(names.length);
  });
});
