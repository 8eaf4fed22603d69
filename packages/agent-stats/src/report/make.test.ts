import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mqtt } from "../agents/mqtt.ts";
import { xftp } from "../agents/simplex.ts";
import { diffReports, parseReport } from "./diff.ts";
import { jsonInPage } from "./html.ts";
import { makeReport } from "./make.ts";
import { newReportKey, PSEUDONYM, resolvePseudonym } from "./pseudonyms.ts";
import { PUBLIC_SERVERS } from "./public-servers.ts";
import { CASE_KEY, serverStats, statsOf, timelineOf } from "./report.testing.ts";

const OWN = "mqtts://broker.anna.example:8883";
const PUBLIC = "mqtt://test.mosquitto.org:1883";
const servers = [
  serverStats("mqtt", "anna", OWN, { sent: 1009, sendErrors: 13 }),
  serverStats("mqtt", "bert", OWN, { sent: 17 }),
  serverStats("mqtt", "anna", PUBLIC, { received: 19 }),
  serverStats("mqtt", "", "", { sent: 23 }),
];
const options = { stats: statsOf(servers), timeline: timelineOf(servers), protocols: [mqtt], key: CASE_KEY } as const;

describe("a report", () => {
  test("has every number, no name but well-known ones, and times to the hour", async () => {
    const { document, json, replaced } = await makeReport({ ...options, made: new Date("2026-06-20T07:31:00Z") });
    expect(document).toMatchObject({
      made: "2026-06-20T07:00Z",
      lastSaved: "2026-06-19T14:00Z",
      trackedSince: "2026-06-01T09:00Z",
    });
    expect(document.sessions).toEqual([
      {
        started: "2026-06-19T08:00Z",
        lastSaved: "2026-06-19T14:00Z",
        ended: null,
        how: "killed",
        canHaveLostMs: 5_000,
      },
    ]);
    const sent = document.servers.map(({ user, server, overall }) => [
      typeof user,
      server,
      overall.sent ?? overall.received,
    ]);
    const pseudonym = document.servers.find(({ overall }) => overall.sent === 17)?.server;
    expect(pseudonym).toMatch(PSEUDONYM);
    expect(sent).toEqual(
      expect.arrayContaining([
        ["number", pseudonym, 1009],
        ["number", pseudonym, 17],
        ["number", PUBLIC, 19],
        ["object", null, 23],
      ]),
    );
    expect(document.timeline).toHaveLength(4);
    expect(document.counters.mqtt?.sendErrors).toEqual({
      help: expect.any(String),
      unit: "count",
      error: true,
      attemptsOf: null,
    });
    expect(json).not.toMatch(/anna|bert|broker\.|08:12|9:41/);
    expect(replaced).toEqual({ servers: 1, users: 2, visible: [PUBLIC] });
    expect(JSON.parse(json)).toEqual(document);
  });

  test("shows a public server only where its address is exactly on the list, and none where the list is empty", async () => {
    const similar = [PUBLIC, `${PUBLIC}/mine`, PUBLIC.toUpperCase(), "mqtt://test.mosquitto.org:1884"];
    const stats = statsOf(similar.map((server) => serverStats("mqtt", "1", server, { sent: 1 })));
    const named = async (publicServers?: string[]) =>
      (await makeReport({ stats, key: CASE_KEY, ...(publicServers && { publicServers }) })).replaced.visible;
    // The others hold the same host, which must then not be searched for in the one that may be seen.
    expect(await named()).toEqual([PUBLIC]);
    expect(await named([])).toEqual([]);
    expect(new Set(PUBLIC_SERVERS).size).toBe(PUBLIC_SERVERS.length);
  });

  test("does not correlate with another but under one case's key, and resolves for who has the key", async () => {
    const pseudonymsOf = async (key: Uint8Array) =>
      new Set((await makeReport({ ...options, key, publicServers: [] })).document.servers.map(({ server }) => server));
    const [a, b] = [newReportKey(), newReportKey()];
    const [first, second, again] = [await pseudonymsOf(a), await pseudonymsOf(b), await pseudonymsOf(a)];
    expect(again).toEqual(first);
    expect([...first].filter((name) => name !== null && second.has(name))).toEqual([]);
    const keys = [a, b].map((key, i) => ({ key, made: i, caseId: i === 0 ? "login" : null }));
    const resolved = await Promise.all([...first].map((name) => resolvePseudonym(name ?? "", keys, [OWN, PUBLIC])));
    expect(
      resolved
        .flat()
        .map(({ server, made, caseId }) => [server, made, caseId])
        .sort(),
    ).toEqual([
      [PUBLIC, 0, "login"],
      [OWN, 0, "login"],
    ]);
    expect(await resolvePseudonym([...first][0] ?? "", [{ key: b, made: 1, caseId: null }], [OWN, PUBLIC])).toEqual([]);
  });

  test("numbers users in an order that changes from key to key", async () => {
    const many = Array.from({ length: 8 }, (_, i) => serverStats("mqtt", `user-${i}`, OWN, { sent: i + 1 }));
    const orders = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { document } = await makeReport({ stats: statsOf(many), key: newReportKey() });
        return document.servers.map(({ overall }) => overall.sent).join();
      }),
    );
    expect(new Set(orders).size).toBeGreaterThan(1);
  });

  test("rounds counts when coarse, leaves out whom it is told to, and brackets a recording", async () => {
    const { document } = await makeReport({
      ...options,
      coarse: true,
      withoutUsers: ["bert"],
      recorded: {
        before: statsOf([serverStats("mqtt", "anna", OWN, { sent: 1000 })]),
        started: new Date("2026-06-19T14:02:11Z"),
        stopped: new Date("2026-06-19T14:03:41Z"),
      },
    });
    expect(document.servers.map(({ overall }) => overall)).toEqual(
      expect.arrayContaining([{ sent: 1000, sendErrors: 10 }, { received: 20 }, { sent: 20 }]),
    );
    expect(document.servers).toHaveLength(3);
    expect(document.recorded).toMatchObject({ started: "2026-06-19T14:00Z", seconds: 90 });
    expect(document.recorded?.servers[0]?.counters ?? {}).toBeDefined();
    expect(document.recorded?.servers.find(({ server }) => server !== null && server !== PUBLIC)?.counters).toEqual({
      sent: 9,
      sendErrors: 10,
    });
  });
});

test("whom a report leaves out is not in it, nor what only they use; and is searched for all the same", async () => {
  const [mine, hidden] = [servers[0], serverStats("xftp", "carl", "xftp://k@files.example", { uploads: 31 })];
  if (mine === undefined) throw new Error("no server");
  const [stats, without] = [statsOf([mine, hidden]), statsOf([mine])];
  const given = { timeline: timelineOf([mine, hidden]), protocols: [mqtt, xftp], withoutUsers: ["carl"] };
  const recorded = { before: statsOf([]), started: new Date(), stopped: new Date() };
  const report = await makeReport({ ...options, ...given, stats, recorded: { ...recorded, before: stats } });
  const alone = await makeReport({
    ...{ ...options, protocols: [mqtt, xftp], timeline: timelineOf([mine]), stats: without },
    recorded: { ...recorded, before: without },
  });
  expect(report.json).toBe(alone.json);
  expect(report.replaced).toEqual(alone.replaced);
  for (const caseId of ["carl's file", "files.example"]) {
    await expect(makeReport({ ...options, ...given, stats, caseId })).rejects.toMatchObject({
      code: "STATS_REPORT_LEAKS",
    });
  }
});

describe("a report that somebody sent", () => {
  test("is read from its JSON and from its page, and the page holds the same bytes", async () => {
    const { document, json, html } = await makeReport({ ...options, caseId: "a </script> of <b>mine</b>" });
    expect(parseReport(json)).toEqual(document);
    expect(parseReport(html)).toEqual(document);
    expect(html.split("</script>")).toHaveLength(3);
  });

  test("is read from its page as it was written, whatever the case is called", async () => {
    const signs = fc.string({
      unit: fc.constantFrom("<", "\\", "u003c", "/script>", '"', "x"),
      minLength: 1,
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(signs, async (caseId) => {
        const { document, json, html } = await makeReport({ stats: statsOf([]), key: CASE_KEY, caseId });
        expect(parseReport(html)).toEqual(document);
        expect(jsonInPage(html)).toBe(json);
      }),
    );
  });

  test.each([
    ["not JSON", "hello"],
    ["cut off", '{"format": "agent-stats-report", "vers'],
    ["something else", "[]"],
    ["from a later version", '{"format":"agent-stats-report","version":2}'],
    ["incomplete", '{"format":"agent-stats-report","version":1}'],
    [
      "with what would move the cursor for a date",
      '{"format":"agent-stats-report","version":1,"made":"\\u001b[2J","counters":{},"servers":[],"sessions":[],"timeline":[]}',
    ],
    [
      "with a server that is none",
      '{"format":"agent-stats-report","version":1,"made":"","counters":{},"servers":[{}],"sessions":[],"timeline":[]}',
    ],
  ])("is refused when %s", (_, text) => {
    expect(() => parseReport(text)).toThrowError(expect.objectContaining({ code: "STATS_REPORT_UNREADABLE" }));
  });
});

describe("the difference of two reports", () => {
  const later = [
    serverStats("mqtt", "anna", OWN, { sent: 1109, sendErrors: 13 }),
    serverStats("mqtt", "anna", "mqtt://new.example", { sent: 1 }),
  ];
  const report = async (rows: typeof servers, caseId: string | null, key: Uint8Array) =>
    (await makeReport({ stats: statsOf(rows), key, caseId })).document;

  test("of one case tells by server what grew, came and went", async () => {
    const diff = diffReports(await report(servers.slice(0, 1), "c", CASE_KEY), await report(later, "c", CASE_KEY));
    expect(diff.correlates).toBe(true);
    expect(diff.servers.map(({ changes }) => changes)).toEqual([[{ counter: "sent", before: 1009, after: 1109 }]]);
    expect(diff.come).toHaveLength(1);
    expect(diff.gone).toEqual([]);
    expect(diff.totals).toEqual([{ protocol: "mqtt", changes: [{ counter: "sent", before: 1009, after: 1110 }] }]);
  });

  test("of two databases does not correlate, though both call the case the same", async () => {
    const [a, b] = [await report(servers, "bug-7", newReportKey()), await report(later, "bug-7", newReportKey())];
    expect(diffReports(a, b)).toMatchObject({ correlates: false, gone: [], come: [] });
    const again = await report(later, "bug-7", CASE_KEY);
    expect(diffReports(await report(servers, "bug-7", CASE_KEY), again).correlates).toBe(true);
    // No mark of the key without a case: two reports would correlate by it.
    expect((await report(servers, null, CASE_KEY)).caseMark).toBeNull();
  });

  test("of one case takes nobody for another, who came to have his number", async () => {
    const two = ["anna", "ben"].map((user) => serverStats("mqtt", user, OWN, { sent: user === "anna" ? 1 : 5 }));
    const three = [serverStats("mqtt", "carl", OWN, { sent: 900 }), ...two];
    for (let i = 0; i < 20; i++) {
      const key = newReportKey();
      const diff = diffReports(await report(two, "c", key), await report(three, "c", key));
      expect(diff.servers.map(({ changes }) => changes)).toEqual([[{ counter: "sent", before: 6, after: 906 }]]);
    }
  });

  test("of two cases tells totals, and servers only where they are public", async () => {
    const moved = [...later, serverStats("mqtt", "anna", PUBLIC, { received: 29 })];
    const diff = diffReports(await report(servers, null, newReportKey()), await report(moved, null, newReportKey()));
    expect(diff).toMatchObject({ correlates: false, gone: [], come: [] });
    expect(diff.servers).toEqual([
      { protocol: "mqtt", server: PUBLIC, changes: [{ counter: "received", before: 19, after: 29 }] },
    ]);
    expect(diff.totals[0]?.changes.map(({ counter }) => counter)).toEqual(["received", "sent"]);
  });

  test("calls only those sessions new that the first has not, though both were made within one hour", async () => {
    const at = (time: string) => new Date(`2026-06-19T${time}:00Z`);
    const session = (started: string, how: "killed" | "close" | "running") => ({
      ...{ session: 1, started: at(started), lastSaved: at(started), ended: null, how, canHaveLostMs: 0 },
    });
    const made = async (time: string, ...sessions: ReturnType<typeof session>[]) =>
      (await makeReport({ stats: { ...statsOf([]), sessions }, key: CASE_KEY, caseId: "c", made: at(time) })).document;
    const [first, second] = [session("08:12", "close"), session("14:05", "killed")];
    const before = await made("14:10", first, session("14:05", "running"));
    const newIn = async (...sessions: ReturnType<typeof session>[]) =>
      diffReports(before, await made("14:55", ...sessions)).newSessions.map(({ how }) => how);
    expect(await newIn(first, second)).toEqual([]);
    expect(await newIn(first, second, session("14:31", "close"))).toEqual(["close"]);
    expect(await newIn(second, session("14:31", "close"), session("15:00", "running"))).toEqual(["close", "running"]);
  });
});
