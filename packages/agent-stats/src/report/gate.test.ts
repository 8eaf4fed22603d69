import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AllowedWords, assertNamesNobody, base64Forms } from "./gate.ts";
import { partsOf } from "./known-names.ts";
import { makeReport } from "./make.ts";
import { newReportKey } from "./pseudonyms.ts";
import { serverStats, statsOf, timelineOf } from "./report.testing.ts";

const NOTHING: AllowedWords = { identifiers: ["sent"], texts: [], publicServers: [] };
const known = (servers: string[], users: string[] = []) => ({ servers: new Set(servers), users: new Set(users) });
const refused = (json: string, names: ReturnType<typeof known>, allowed = NOTHING) => {
  try {
    assertNamesNobody(json, names, allowed);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: "STATS_REPORT_LEAKS" });
    expect((error as Error).message).toMatch(
      /^The report would name (a server|a user|something that is not of a report):/,
    );
    return true;
  }
};

/** Ways in which a name could get into a file unseen. */
const HIDDEN: readonly [string, (name: string) => string][] = [
  ["plain", (name) => name],
  ["in a sentence", (name) => `sent to ${name} at noon`],
  ["in capital letters", (name) => name.toUpperCase()],
  ["percent-encoded", encodeURIComponent],
  ["percent-encoded twice", (name) => encodeURIComponent(encodeURIComponent(name))],
  ["percent-encoded to the last byte", (name) => Buffer.from(name).toString("hex").replace(/../g, "%$&")],
  ["in base64", (name) => Buffer.from(name).toString("base64")],
  ["in base64, one byte later", (name) => Buffer.from(`x${name}y`).toString("base64")],
  ["in base64, two bytes later", (name) => Buffer.from(`xy${name}zz`).toString("base64")],
  ["in base64url", (name) => Buffer.from(`?>${name}`).toString("base64url")],
];

/** Never a word that every report holds. */
const word = fc
  .string({
    unit: fc.constantFrom(..."abcdefghiklmnoqrstuwxyz0123456789ÄéжЯ東京"),
    minLength: 4,
    maxLength: 20,
  })
  .map((text) => `q7${text}`);
const host = fc.tuple(word, fc.constantFrom("example", "onion", "xn--p1ai", "中国")).map((parts) => parts.join("."));
const address = fc
  .tuple(
    fc.constantFrom("mqtts://", "smp://", "wss://", ""),
    fc.option(word),
    host,
    fc.option(host),
    fc.option(fc.integer({ min: 1, max: 65_535 })),
  )
  .map(([scheme, login, first, second, port]) =>
    [scheme, login ? `${login}@` : "", first, second ? `,${second}` : "", port ? `:${port}` : ""].join(""),
  );

describe("the gate", () => {
  test.each(HIDDEN)("refuses a server's whole address, its hosts, and a user: %s", (_, hide) => {
    fc.assert(
      fc.property(address, word, (server, user) => {
        const hosts = partsOf(server).filter((part) => part.includes(".") && part.length >= 6);
        for (const part of [server, ...hosts]) {
          expect(refused(JSON.stringify({ sent: 1, note: hide(part) }), known([server]))).toBe(true);
        }
        expect(refused(JSON.stringify([hide(user)]), known([], [user]))).toBe(true);
        // As the name of a field.
        expect(refused(JSON.stringify({ [hide(user)]: 1 }), known([], [user]))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ["a port", "mqtt://h.example:8883", "h.example:8883"],
    ["the key hash", "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKv@smp.example", "0YuTwO05YJWS8rkjn9eLJDjQhFKv"],
    ["a password", "mqtt://anna:hunter22@h.example", "hunter22"],
    ["an IPv6 address", "mqtt://[2001:db8::7]:1883", "2001:db8::7"],
    ["the second host", "smp://k@a.example,longerhost.onion:5223", "longerhost.onion"],
    ["the name that is looked up", "wss://münchen.example/path", "xn--mnchen-3ya.example"],
    ["the name behind what is looked up", "wss://xn--mnchen-3ya.example/path", "München.example"],
    ["a host without the dot at its end", "mqtt://h.example.:8883", "h.example"],
    ["wide letters", "mqtt://h.example", "ｈ.ｅｘａｍｐｌｅ"],
    ["letters in another form", "wss://münchen.example", "münchen.example".normalize("NFD")],
  ])("refuses %s alone", (_, server, part) => {
    expect(refused(JSON.stringify({ sent: `see ${part}!` }), known([server]))).toBe(true);
  });

  test("refuses what is no report, and escapes of JSON", () => {
    expect(refused("{anna}", known([]))).toBe(true);
    expect(refused('{"sent":"\\u0061nna"}', known([], ["anna"]))).toBe(true);
    expect(refused('{"sent":1', known([], ["anna"]))).toBe(false);
  });

  test("refuses a counter that is called after a server, not one that a user is called after", () => {
    const allowed = { ...NOTHING, identifiers: ["broker.example", "sent"] };
    expect(refused('{"broker.example":1}', known(["mqtt://broker.example"]), allowed)).toBe(true);
    expect(refused('{"sent":1}', known([], ["sent"]), allowed)).toBe(false);
  });

  test("finds a name in base64 whatever stands before and after it", () => {
    fc.assert(
      fc.property(fc.string(), word, fc.string(), (before, name, after) => {
        const text = Buffer.from(before + name + after).toString("base64");
        expect(base64Forms(name).some((form) => text.includes(form))).toBe(true);
      }),
    );
  });

  test("control: without it, the same bytes would be written", () => {
    const json = JSON.stringify({ sent: "mqtt://h.example" });
    expect(refused(json, known(["mqtt://h.example"]))).toBe(true);
    expect(refused(json, known(["mqtt://other.example"]))).toBe(false);
  });
});

describe("a made report", () => {
  const name = fc.oneof(
    word,
    fc.string({ minLength: 1 }),
    fc.constantFrom("1", "10", "sent", "user", "srv-", "2026", "null"),
  );

  test("names nobody and is never refused, whatever users and servers are called", async () => {
    const rows = fc.array(fc.tuple(name, fc.oneof(address, name), fc.nat(99)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(rows, async (given) => {
        const servers = given.map(([user, server, sent]) => serverStats("chat", user, server, { sent }));
        const { document, html, json } = await makeReport({
          stats: statsOf(servers),
          timeline: timelineOf(servers),
          key: newReportKey(),
        });
        expect(document.servers).toHaveLength(servers.length);
        const long = servers
          .flatMap(({ userId, server }) => [userId, ...partsOf(server)])
          .filter((part) => part.length > 12);
        for (const part of long) {
          expect(json).not.toContain(JSON.stringify(part).slice(1, -1));
          expect(html).not.toContain(part);
        }
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ["a host", "broker.example is down"],
    ["a user", "what anna saw"],
  ])("is refused where the case's name tells %s", async (_, caseId) => {
    const stats = statsOf([serverStats("chat", "anna", "mqtt://broker.example:1883", { sent: 1 })]);
    const options = { stats, key: newReportKey() };
    await expect(makeReport({ ...options, caseId })).rejects.toMatchObject({ code: "STATS_REPORT_LEAKS" });
    await expect(makeReport({ ...options, caseId: "ticket 12" })).resolves.toMatchObject({
      document: { case: "ticket 12" },
    });
  });
});
