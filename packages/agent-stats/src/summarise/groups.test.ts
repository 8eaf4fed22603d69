import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { groupByUse, shown, successRates, totals, type UseRule } from "./groups.ts";
import type { ServerStats } from "./servers-stats.ts";
import { smp, xftp } from "./simplex.testing.ts";

function server(
  protocol: string,
  userId: string,
  name: string,
  overall: object,
  rest: Partial<ServerStats> = {},
): ServerStats {
  const numbers = overall as Record<string, number>;
  return {
    protocol,
    userId,
    server: name,
    trackedSince: null,
    past: {},
    session: {},
    overall: numbers,
    live: {},
    ...rest,
  };
}

describe("totals", () => {
  const servers = [
    server("smp", "1", "a", { recvMsgs: 1 }, { past: { recvMsgs: 100 }, session: { recvMsgs: 1_000 } }),
    server("smp", "1", "b", { recvMsgs: 2, connCreated: 20 }),
    server("smp", "10", "a", { recvMsgs: 4 }),
    server("smp", "3", "hidden", { recvMsgs: 8 }),
    server("smp", "", "", { recvMsgs: 16 }),
    server("xftp", "3", "f", { uploads: 32 }),
  ];

  test("are a sum for each protocol: over all users, without the hidden ones, or of one", () => {
    expect(totals(servers)).toEqual({ smp: { recvMsgs: 31, connCreated: 20 }, xftp: { uploads: 32 } });
    for (const hiddenUsers of [[3], ["3"], new Set([3])]) {
      expect(totals(servers, { hiddenUsers })).toEqual({ smp: { recvMsgs: 23, connCreated: 20 } });
    }
    for (const userId of [1, "1"])
      expect(totals(servers, { userId })).toEqual({ smp: { recvMsgs: 3, connCreated: 20 } });
    expect(totals(servers, { userId: 10 })).toEqual({ smp: { recvMsgs: 4 } });
    expect(totals(servers, { userId: 100 })).toEqual({});
  });

  test("show a hidden user to nobody but itself", () => {
    expect(totals(servers, { userId: 3, hiddenUsers: [3] })).toEqual({ smp: { recvMsgs: 8 }, xftp: { uploads: 32 } });
    expect(totals(servers, { userId: 1, hiddenUsers: [3] })).toEqual({ smp: { recvMsgs: 3, connCreated: 20 } });
    expect(shown(servers, { hiddenUsers: [3, 1] }).map(({ userId }) => userId)).toEqual(["10", ""]);
  });

  test("are of the past, of the session, or of both", () => {
    expect(totals(servers, { part: "past" }).smp).toEqual({ recvMsgs: 100 });
    expect(totals(servers, { part: "session" }).smp).toEqual({ recvMsgs: 1_000 });
    expect(totals([])).toEqual({});
  });
});

/** simplexmq's rule: what makes a server "previously used" is not what only a proxy did for it. */
const DIRECT = [
  "sentDirect",
  "sentDirectAttempts",
  "sentProxied",
  "sentProxiedAttempts",
  "recvMsgs",
  "connCreated",
  "connSecured",
  "connSubscribed",
  "connSubAttempts",
];
const SIMPLEX: Record<string, UseRule> = {
  smp: { wasUsed: ({ overall }) => DIRECT.some((counter) => (overall[counter] ?? 0) > 0) },
  xftp: { wasUsed: () => true },
};

describe("groupByUse", () => {
  const names = (groups: ReturnType<typeof groupByUse>) =>
    Object.fromEntries(
      Object.entries(groups).map(([name, group]) => [name, group.map((each: ServerStats) => each.server)]),
    );

  test("groups as SimpleX does, each protocol by its own rule", () => {
    const servers = [
      server("smp", "1", "has a session", {}, { live: { ssConnected: 1 } }),
      server("smp", "1", "has a subscription", { sentViaProxy: 9 }, { live: { ssConnected: 0, ssActive: 2 } }),
      ...DIRECT.map((counter) => server("smp", "1", counter, { [counter]: 1 }, { live: { ssConnected: 0 } })),
      server("smp", "1", "only proxied", { sentViaProxy: 5, sentViaProxyAttempts: 6, sentAuthErrs: 1 }),
      server("smp", "1", "never", {}),
      server("xftp", "1", "files now", {}, { live: { ssConnected: 1 } }),
      server("xftp", "1", "files", {}),
    ];
    expect(names(groupByUse(servers, SIMPLEX))).toEqual({
      currentlyUsed: ["has a session", "has a subscription", "files now"],
      previouslyUsed: [...DIRECT, "files"],
      onlyProxied: ["only proxied", "never"],
    });
  });

  test("puts every server into one group, whatever the rules", () => {
    const counters = fc.dictionary(fc.constantFrom("sentDirect", "sentViaProxy", "constructor"), fc.nat(2));
    const any = fc.record({
      protocol: fc.constantFrom("smp", "xftp", "constructor", "__proto__"),
      overall: counters,
      live: counters,
    });
    fc.assert(
      fc.property(fc.array(any), fc.boolean(), (given, simplex) => {
        const servers = given.map(({ protocol, overall, live }, i) =>
          server(protocol, "1", String(i), overall, { live }),
        );
        const { currentlyUsed, previouslyUsed, onlyProxied } = groupByUse(servers, simplex ? SIMPLEX : {});
        const all = [...currentlyUsed, ...previouslyUsed, ...onlyProxied];
        expect(new Set(all)).toEqual(new Set(servers));
        expect(all).toHaveLength(servers.length);
      }),
    );
  });

  test("takes any gauge for use now and any count for use before, where no rule says otherwise", () => {
    const servers = [
      server("mqtt", "1", "now", {}, { live: { connected: 1 } }),
      server("mqtt", "1", "before", { errors: 1 }, { live: { connected: 0 } }),
    ];
    expect(names(groupByUse(servers))).toEqual({ currentlyUsed: ["now"], previouslyUsed: ["before"], onlyProxied: [] });
  });
});

describe("successRates", () => {
  test("are one for each kind of attempt: two views of the same message are never added", () => {
    const numbers = {
      sentDirect: 90,
      sentDirectAttempts: 100,
      sentViaProxy: 30,
      sentViaProxyAttempts: 40,
      sentProxied: 30,
      sentProxiedAttempts: 60,
    };
    expect(successRates(smp, numbers)).toEqual([
      { counter: "sentDirect", attemptsCounter: "sentDirectAttempts", successes: 90, attempts: 100, rate: 0.9 },
      { counter: "sentViaProxy", attemptsCounter: "sentViaProxyAttempts", successes: 30, attempts: 40, rate: 0.75 },
      { counter: "sentProxied", attemptsCounter: "sentProxiedAttempts", successes: 30, attempts: 60, rate: 0.5 },
      { counter: "connSubscribed", attemptsCounter: "connSubAttempts", successes: 0, attempts: 0, rate: null },
    ]);
    // What SimpleX shows as sent in all: by either way, and not once more as the proxy saw it.
    const [direct, viaProxy] = successRates(smp, numbers);
    expect((direct?.successes ?? 0) + (viaProxy?.successes ?? 0)).toBe(120);
  });

  test("are between 0 and 1, also while attempts are still open or were counted before", () => {
    const rates = (sentDirect: number, sentDirectAttempts: number) =>
      successRates(smp, { sentDirect, sentDirectAttempts })[0]?.rate;
    expect([rates(0, 5), rates(5, 5), rates(7, 5), rates(7, 0)]).toEqual([0, 1, 1, null]);
    expect(successRates(xftp, { uploads: 5 })).toEqual([]);
  });
});
