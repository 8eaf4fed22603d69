import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AllowedWords, assertNamesNobody } from "./gate.ts";
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

function unicode(name: string, written: (unit: string) => string): string {
  return name
    .split("")
    .map((unit) => written(unit.charCodeAt(0).toString(16)))
    .join("");
}

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
  ["in capital letters, in base64", (name) => Buffer.from(name.toUpperCase()).toString("base64")],
  ["percent-encoded, in base64", (name) => Buffer.from(encodeURIComponent(name)).toString("base64")],
  ["in base64 behind other letters of it", (name) => `x-${Buffer.from(name).toString("base64")}`],
  ["in base64, percent-encoded", (name) => encodeURIComponent(Buffer.from(`x${name}`).toString("base64"))],
  ["in hexadecimal digits", (name) => `f${Buffer.from(name).toString("hex")}0`],
  ["percent-encoded four times", (name) => [1, 2, 3, 4].reduce((text) => encodeURIComponent(text), name)],
  ["escaped as in JSON", (name) => unicode(name, (unit) => `\\u${unit.padStart(4, "0")}`)],
  ["escaped as in HTML", (name) => [...name].map((point) => `&#${point.codePointAt(0)};`).join("")],
  [
    "escaped as in HTML, in digits of 16",
    (name) => [...name].map((p) => `&#x${p.codePointAt(0)?.toString(16)};`).join(""),
  ],
  ["with marks that nobody sees", (name) => [...name].join("\u200b")],
  ["with soft hyphens", (name) => [...name].join("\u00ad")],
  ["in wide letters", (name) => name.replace(/[!-~]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0))],
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
    ["letters without their marks", "wss://münchen.example", "munchen.example"],
    ["the domain that it belongs to", "smp://k@smp8.anna.example", "anna.example"],
    [
      "the key hash without the sign at its end",
      "smp://0YuTwO05YJWS8rkjn9eLJDjQhFKv=@a.example",
      "0YuTwO05YJWS8rkjn9eLJDjQhFKv",
    ],
    [
      "the key hash in the other alphabet",
      "smp://0Y-TwO05_JWS8rkjn9eLJDjQhFKv=@a.example",
      "0Y+TwO05/JWS8rkjn9eLJDjQhFKv",
    ],
    ["the name of an onion host", "smp://k@a.example,beccx4yfxxbvyhqypaavemqury.onion", "beccx4yfxxbvyhqypaavemqury"],
    ["what stands in its path", "wss://a.example/v1/s3cret-token?key=an0ther-token", "s3cret-token"],
    ["what it is asked with", "wss://a.example/v1/s3cret-token?key=an0ther-token", "an0ther-token"],
    ["an address as one number", "mqtt://10.11.12.13:1883", "168496141"],
    ["an address in other digits", "mqtt://10.11.12.13:1883", "0x0a.0xb.014.13"],
    ["an IPv6 address in full", "mqtt://[2001:db8::7]:1883", "[2001:0db8:0000::0007]:1883"],
    ["other dots", "mqtt://broker.example", "broker。example"],
    ["names of entities", "mqtt://broker.example", "broker&period;example"],
    ["words that are joined otherwise", "mqtt://my-broker.example", "my_broker_example"],
  ])("refuses %s alone", (_, server, part) => {
    expect(refused(JSON.stringify({ sent: `see ${part}!` }), known([server]))).toBe(true);
  });

  test.each([
    ["a name of two Chinese letters", "王伟", "王伟的手机"],
    ["one of two Latin letters, as a word", "Jo", "what jo saw"],
    ["a person's last name", "Anna Schmidt", "the schmidt case"],
    ["what stands before the @", "anna@mail.example", "login of anna"],
    ["ß in capital letters", "Weiß", "WEISS"],
    ["a dotted capital I", "İpek", "ipek"],
    ["a number", "4711", "ticket-4711"],
  ])("refuses of a user %s", (_, user, text) => {
    expect(refused(JSON.stringify({ sent: text }), known([], [user]))).toBe(true);
  });

  test.each([
    ["a short number within a longer one", "7", "ticket 7112"],
    ["a short name within a word", "jo", "the job"],
    ["letters that a decoded word has by chance", "abc", "a case with many more words than others"],
  ])("control: does not refuse %s", (_, user, text) => {
    expect(refused(JSON.stringify({ sent: text }), known([], [user]))).toBe(false);
  });

  test("refuses what is no report, and escapes of JSON", () => {
    expect(refused("{anna}", known([]))).toBe(true);
    expect(refused('{"sent":"\\u0061nna"}', known([], ["anna"]))).toBe(true);
    expect(refused('{"sent":1', known([], ["anna"]))).toBe(false);
  });

  test("refuses a counter that is a short address, not one within which it stands by chance", () => {
    const allowed = { ...NOTHING, identifiers: ["sent.messages", "t.me"] };
    expect(refused('{"sent.messages":1}', known(["https://t.me"]), allowed)).toBe(false);
    expect(refused('{"t.me":1}', known(["https://t.me"]), allowed)).toBe(true);
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
        expect(refused(JSON.stringify({ sent: text }), known([], [name]))).toBe(true);
      }),
    );
  });

  test("refuses a counter that is called after a server's key or host, or after a user, in any spelling", () => {
    const [server, user] = ["smp://0YuTwO05YJWS8rkjn9eLJDjQhFKv=@my-broker.example", "3f2a9c1e-7b64-4d0a-9d5e"];
    for (const name of [
      "sent_0YuTwO05YJWS8rkjn9eLJDjQhFKv",
      "sent_my_broker_example",
      "sent_3f2a9c1e_7b64_4d0a_9d5e",
    ]) {
      const allowed = { ...NOTHING, identifiers: ["sent", name] };
      expect(refused(JSON.stringify({ sent: 1, [name]: 2 }), known([server], [user]), allowed)).toBe(true);
      expect(refused(JSON.stringify({ sent: 1, [name]: 2 }), known([], []), allowed)).toBe(false);
    }
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
