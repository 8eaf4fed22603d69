import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mqtt } from "../../agents/mqtt.ts";
import { smp } from "../../agents/simplex.ts";
import type { TimelineEntry } from "../../summarise/timeline.ts";
import { missingText } from "./endings.ts";
import { meterOf, sumFigures } from "./figures.ts";
import { groupsOf, isOwn } from "./groups.ts";
import { messageOf } from "./messages.ts";
import { ALL, dataOf, HOUR_MS, key, NOW, SMP } from "./model.testing.ts";
import { namesOf } from "./names.ts";
import { rateTexts } from "./rates.ts";
import { type Filter, matches, pointsOf, rowsOf } from "./select.ts";
import { verdictOf } from "./verdict.ts";
import { agoText, countText, durationText, printable } from "./words.ts";

describe("figures", () => {
  const meter = meterOf([key("chat", "1", "a", { sent: 1, sendErrors: 1, received: 1 })], [mqtt, smp]);

  test("are sums of what each protocol's counters mean", () => {
    const numbers = {
      sentDirect: 90,
      sentViaProxy: 7,
      sentProxied: 1_000,
      sentQuotaErrs: 3,
      recvMsgs: 11,
      recvErrs: 2,
    };
    expect(meter.figures("smp", numbers)).toEqual({
      sent: 97,
      received: 11,
      failed: 5,
      // Each of its own activity: receipts do not make sends look better.
      rates: [
        { activity: "send", failed: 3, all: 100 },
        { activity: "receive", failed: 2, all: 11 },
      ],
    });
    expect(meter.figures("chat", { sent: 9, sendErrors: 1 })).toEqual({
      sent: 9,
      received: 0,
      failed: 1,
      rates: [{ activity: "send", failed: 1, all: 10 }],
    });
  });

  test("say what a failure rate is of: what failed most first, and of nothing that did not fail", () => {
    const { rates } = meter.figures("smp", { sentDirect: 9, sentQuotaErrs: 1, connSubscribed: 50, connSubErrs: 50 });
    expect(rateTexts(rates)).toEqual(["50\u00a0% of subscriptions", "10\u00a0% of sends"]);
    expect(rateTexts(meter.figures("smp", { recvMsgs: 7, sentDirect: 9 }).rates)).toEqual(["0\u00a0%"]);
    expect(meter.figures("smp", { recvMsgs: 7, sentDirect: 9 }).rates[0]?.activity).toBe("send");
    expect(rateTexts([])).toEqual(["–"]);
  });

  test("of several servers are weighed by what each did", () => {
    const all = [meter.figures("smp", { sentDirect: 90, sentQuotaErrs: 10 }), meter.figures("chat", { sent: 900 })];
    expect(sumFigures(all).rates[0]).toEqual({ activity: "send", failed: 10, all: 1_000 });
  });

  test("and the verdict count failures alike", () => {
    const amount = fc.integer({ min: 0, max: 5_000 });
    const counters = fc.record({ sentDirect: amount, sentQuotaErrs: amount, recvMsgs: amount, ackMsgs: amount });
    let failing = 0;
    fc.assert(
      fc.property(counters, (counted) => {
        const server = key("smp", "anna", SMP, counted);
        const start = new Date(NOW - HOUR_MS);
        const entry = { start, protocol: "smp", userId: "anna", server: SMP, counters: counted };
        const data = dataOf([server], [entry]);
        const { rates } = meter.figures("smp", counted);
        for (const { what } of verdictOf(data, ALL, new Set(), [smp], namesOf([SMP], ["anna"], false), NOW) ?? []) {
          failing++;
          expect(what.startsWith(rateTexts(rates)[0] ?? "")).toBe(true);
        }
      }),
    );
    expect(failing).toBeGreaterThan(10);
  });

  test("are not known where a protocol has no such counter, and then not zero", () => {
    expect(meter.figures("unheard", {})).toEqual({ sent: null, received: null, failed: null, rates: [] });
    const sums = sumFigures([meter.figures("unheard", {}), meter.figures("chat", { sent: 2 })]);
    expect(sums).toMatchObject({ sent: 2, received: 0, failed: 0 });
    expect(sumFigures([meter.figures("unheard", {})]).sent).toBeNull();
  });
});

describe("what is selected", () => {
  const servers = [
    key("mqtt", "anna", "mqtts://a.example", { sent: 100 }),
    key("mqtt", "bert", "mqtts://a.example", { sent: 10 }),
    key("smp", "anna", SMP, { sentDirect: 1 }),
  ];
  const meter = meterOf(servers, [mqtt, smp]);
  const hidden = new Set(["bert"]);
  const sent = (filter: Partial<Filter>, timeline: readonly TimelineEntry[] = []) =>
    rowsOf(dataOf(servers, timeline), { ...ALL, ...filter }, hidden, meter, NOW).map(({ figures }) => figures.sent);

  test("leaves hidden profiles out until they are asked for", () => {
    expect(sent({})).toEqual([100, 1]);
    expect(sent({ showHidden: true })).toEqual([110, 1]);
    expect(sent({ userId: "bert" })).toEqual([10]);
    expect(sent({ protocol: "smp" })).toEqual([1]);
    expect(sent({ protocol: "xmpp" })).toEqual([]);
  });

  test("sums a range by the hours in it, and knows nothing of a session that is not there", () => {
    const at = (hours: number, count: number): TimelineEntry => ({
      start: new Date(Math.floor(NOW / HOUR_MS - hours) * HOUR_MS),
      protocol: "mqtt",
      userId: "anna",
      server: "mqtts://a.example",
      counters: { sent: count },
    });
    const timeline = [at(200, 1), at(100, 2), at(24, 4), at(23, 8), at(0, 16)];
    expect(sent({ range: "day" }, timeline)).toEqual([24, 0]);
    expect(sent({ range: "week" }, timeline)).toEqual([30, 0]);
    expect(sent({ range: "month" }, timeline)).toEqual([31, 0]);
    expect(sent({ range: "session" }, timeline)).toEqual([null, null]);
  });

  test("puts every count of a timeline into one period, whatever the range", () => {
    const hour = fc.integer({ min: 0, max: 47 });
    fc.assert(
      fc.property(fc.array(fc.tuple(hour, fc.integer({ min: 1, max: 99 })), { minLength: 1 }), (counts) => {
        const timeline = counts
          .map(([hours, count]): TimelineEntry => {
            const start = new Date(Math.floor(NOW / HOUR_MS - hours) * HOUR_MS);
            return { start, protocol: "mqtt", userId: "anna", server: "mqtts://a.example", counters: { sent: count } };
          })
          .sort((a, b) => a.start.getTime() - b.start.getTime());
        for (const range of ["week", "month", "all"] as const) {
          const points = pointsOf(dataOf(servers, timeline), range, matches(ALL, hidden), meter, NOW);
          const total = points.reduce((sum, point) => sum + (point.sent ?? 0), 0);
          expect(total, range).toBe(counts.reduce((sum, [, count]) => sum + count, 0));
        }
      }),
    );
  });

  test("shows a gap before tracking began, and zero after it", () => {
    const points = pointsOf(dataOf(servers), "week", matches(ALL, hidden), meter, NOW);
    expect(points[0]?.sent).toBeNull();
    expect(points.at(-1)?.sent).toBe(0);
  });
});

describe("groups", () => {
  test("are SimpleX's, and one's own servers are told from public ones", () => {
    const servers = [
      { ...key("smp", "1", "smp://k@proxied.example", { sentViaProxy: 5 }) },
      { ...key("smp", "1", SMP, { recvMsgs: 1 }), live: { connected: 1 } },
      { ...key("smp", "1", "smp://k@mine.example", { sentDirect: 1 }) },
    ];
    const data = dataOf(servers);
    const rows = rowsOf(data, ALL, new Set(), meterOf(servers, [smp]), NOW);
    const groups = groupsOf(rows, data.stats).map((group) => group.rows.map(({ server }) => server));
    expect(groups).toEqual([[SMP], ["smp://k@mine.example"], ["smp://k@proxied.example"]]);
    expect([isOwn({ server: SMP }), isOwn({ server: `${SMP}x` })]).toEqual([false, true]);
  });
});

describe("words", () => {
  test("say numbers and times as people do", () => {
    expect([countText(1_234_567), countText(999)]).toEqual(["1\u202f234\u202f567", "999"]);
    expect([durationText(250), durationText(90_000), durationText(100 * HOUR_MS)]).toEqual([
      "250 ms",
      "1 min",
      "4 d 4 h",
    ]);
    expect(agoText(new Date(NOW - 12 * 60_000), NOW)).toBe("12 min ago");
    expect([3_000, -3_000, -9_999].map((ms) => agoText(new Date(NOW - ms), NOW))).toEqual(Array(3).fill("just now"));
    for (const ms of [10_000, HOUR_MS]) expect(agoText(new Date(NOW + ms), NOW)).toMatch(/^2026-06-22 /);
  });

  test("show names so that they cannot pass for others, and hide them when asked to", () => {
    expect(printable("a\u202eb\u0007")).toBe("a\\u{202e}b\\u{7}");
    const names = namesOf([SMP, "smp://other@smp8.simplex.im", "mqtts://b.example:1"], ["anna"], false);
    expect([names.server(SMP), names.server("mqtts://b.example:1"), names.user("")]).toEqual([
      SMP,
      "b.example:1",
      "deleted users",
    ]);
    const masked = namesOf([SMP], ["anna"], true);
    expect([masked.server(SMP), masked.address(SMP), masked.user("anna")]).toEqual([
      "server 1",
      "server 1",
      "profile 1",
    ]);
  });

  test("never promise less of what can be missing than is", () => {
    const losses = [
      missingText({ how: "killed", canHaveLostMs: 2_500 }),
      missingText({ how: "close", canHaveLostMs: 0 }),
    ];
    expect(losses).toEqual(["≤ 2.5 s + save", "nothing"]);
    expect(missingText({ how: "running", canHaveLostMs: 0 })).toBe("–");
  });

  test("do not guess between a wrong key and damage, unless the file has told", () => {
    const messageOfCode = (code: string) => messageOf(Object.assign(new Error("…"), { code }));
    const commands = (code: string) => messageOfCode(code).steps?.map(({ command }) => command?.split(" ")[1]);
    expect(messageOfCode("STATS_KEY_REJECTED").text).toMatch(/^Either the key .* or the file is damaged/);
    expect(commands("STATS_KEY_REJECTED")).toEqual([undefined, "verify", "salvage"]);
    expect(messageOfCode("STATS_DAMAGED").text).toMatch(/^The key fits/);
    expect(commands("STATS_DAMAGED")).toEqual(["verify", "salvage"]);
    for (const code of ["STATS_NOT_A_DATABASE", "STATS_NOT_ENCRYPTED", "STATS_EMPTY_FILE"])
      expect(messageOfCode(code).text).not.toMatch(/key|damage/);
    expect(messageOf(new Error("/home/anna/stats.db")).text).not.toContain("anna");
  });
});
