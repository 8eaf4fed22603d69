import { describe, expect, test } from "vitest";
import type { Protocol } from "../record/protocol.ts";
import { address, expectedRows, FIELDS, PROTOCOLS, persisted, rowsByName, STARTED_AT } from "./simplex.testing.ts";
import {
  fieldOf,
  ntf,
  parseSimplex,
  type SimplexProtocol,
  type SimplexStats,
  smp,
  toPresentedServersSummary,
  xftp,
} from "./simplex.ts";

const saved = persisted([1, 2, 3], { smp: 3, xftp: 2, ntf: 2 });
const expected = expectedRows(saved);

const rowsOf = ({ rows }: SimplexStats) => rowsByName(rows.map((row) => ({ ...row, numbers: row.counters })));

/** As our own rows, to present them. */
const asServers = ({ rows }: SimplexStats) => ({
  trackedSince: new Date("2026-05-04T03:02:01.987Z"),
  servers: rows.map(({ counters, ...row }) => ({ ...row, overall: counters })),
});

describe("protocols", () => {
  const protocols: Readonly<Record<SimplexProtocol, Protocol>> = { smp, xftp, ntf };

  test.each(PROTOCOLS)("%s has every counter of simplexmq, and no other", (name) => {
    const counters = protocols[name].counters.map((counter) => counter.name);
    expect(counters.map(fieldOf).toSorted()).toEqual(FIELDS[name].toSorted());
  });

  test("errors, attempts and sizes are told as such", () => {
    const all = PROTOCOLS.flatMap((name) => protocols[name].counters);
    expect(all.filter(({ error }) => error).map(({ name }) => name)).toEqual(
      all.map(({ name }) => name).filter((name) => name.endsWith("Errs")),
    );
    const attempts = all.filter(({ name }) => name.endsWith("Attempts"));
    expect(attempts).toHaveLength(14);
    expect(attempts.every(({ attemptsOf }) => attemptsOf !== null)).toBe(true);
    expect(all.filter(({ unit }) => unit === "bytes").map(({ name }) => name)).toEqual([
      "uploadsSize",
      "downloadsSize",
    ]);
  });
});

describe("parseSimplex", () => {
  test("servers_stats: every number under its own name", () => {
    const stats = parseSimplex(JSON.stringify(saved));
    expect(rowsOf(stats)).toEqual(expected);
    expect(stats).toMatchObject({ layout: "persisted", startedAt: null, currentUser: null, unknown: [], missing: [] });
  });

  test("the row of the database: with its date, and with null after a reset", () => {
    const row = { servers_stats: JSON.stringify(saved), started_at: "2026-05-04 03:02:01.987654", updated_at: "x" };
    const stats = parseSimplex(row);
    expect(rowsOf(stats)).toEqual(expected);
    expect(stats.startedAt?.toISOString()).toBe("2026-05-04T03:02:01.987Z");
    expect(parseSimplex([{ ...row, servers_stats: null }])).toMatchObject({ rows: [], unknown: [], missing: [] });
  });

  test("AgentServersSummary: with gauges", () => {
    const [first] = saved.smpServersStats[0] ?? [];
    const [file] = saved.xftpServersStats[0] ?? [];
    const stats = parseSimplex({
      ...saved,
      statsStartedAt: STARTED_AT,
      smpServersSessions: [[first, { ssConnected: 2, ssErrors: 3, ssConnecting: 5 }]],
      smpServersSubs: [[first, { ssActive: 7, ssPending: 11 }]],
      xftpServersSessions: [],
      ntfServersSessions: [],
      xftpRcvInProgress: [file?.[1]],
      xftpSndInProgress: [],
      xftpDelInProgress: [],
    });
    expect(rowsOf(stats)).toEqual(expected);
    expect(stats.rows[0]?.live).toEqual({
      connected: 2,
      sessionErrors: 3,
      connecting: 5,
      activeSubs: 7,
      pendingSubs: 11,
    });
    const files = stats.rows.filter(({ server }) => server === file?.[1]);
    expect(files.map(({ live }) => live)).toEqual(Array(3).fill({ receiving: 1, sending: 0, deleting: 0 }));
    expect([stats.unknown, stats.missing]).toEqual([[], []]);
  });

  const presented = toPresentedServersSummary(asServers(parseSimplex(saved)), {
    currentUser: 2,
    knownServers: [address("smp", "s1")],
  });

  test("PresentedServersSummary: the current user, and what the others have beyond", () => {
    const stats = parseSimplex(presented, { currentUser: 2 });
    const sums = new Map<string, Record<string, number>>();
    for (const [name, numbers] of expected) {
      const [protocol, user, server] = name.split(" ");
      const key = `${protocol} ${user === "2" ? 2 : "others"} ${server}`;
      const sum = sums.get(key) ?? {};
      sums.set(key, sum);
      for (const [counter, value] of Object.entries(numbers)) sum[counter] = (sum[counter] ?? 0) + value;
    }
    expect(rowsOf(stats)).toEqual(sums);
    expect(stats).toMatchObject({ layout: "presented", unknown: [], missing: [], inconsistent: [] });
    expect(stats.knownServers).toEqual([address("smp", "s1")]);
  });

  test.each([
    ["the older envelope", (answer: object) => ({ corrId: "1", resp: answer })],
    ["the newer envelope", (answer: object) => ({ corrId: "1", resp: { Right: answer } })],
    ["the app's own", (answer: object) => ({ result: answer })],
    ["none", (answer: object) => answer],
  ])("the answer to /get servers summary in %s: the user is the agent's", (_, wrap) => {
    const user = { userId: 7, agentUserId: "2", localDisplayName: "me" };
    const answer = wrap({ type: "agentServersSummary", user, serversSummary: presented });
    expect(rowsOf(parseSimplex(answer))).toEqual(rowsOf(parseSimplex(presented, { currentUser: 2 })));
  });

  test.each([
    ["currentUserServers", "allUsersServers"],
    ["userServersSummary", "allServersSummary"],
  ])("older layouts: %s, without push servers and totals", (current, all) => {
    const { smpTotals: _1, ...mySmp } = presented.currentUserSMP;
    const { xftpTotals: _2, ...myXftp } = presented.currentUserXFTP;
    const { smpTotals: _3, ...allSmp } = presented.allUsersSMP;
    const { xftpTotals: _4, ...allXftp } = presented.allUsersXFTP;
    const old = { statsStartedAt: STARTED_AT, [current]: { ...mySmp, ...myXftp }, [all]: { ...allSmp, ...allXftp } };
    const stats = parseSimplex(old, { currentUser: 2 });
    const files = rowsOf(parseSimplex(presented, { currentUser: 2 }));
    for (const name of files.keys()) if (name.startsWith("ntf")) files.delete(name);
    expect(rowsOf(stats)).toEqual(files);
    expect([stats.unknown, stats.missing]).toEqual([[], []]);
  });

  test("a presented summary is the same after reading and presenting it again", () => {
    const stats = parseSimplex(presented, { currentUser: 2 });
    const again = toPresentedServersSummary(asServers(stats), { currentUser: 2, knownServers: stats.knownServers });
    expect(again).toEqual(presented);
  });

  test("the same server under two lists of hosts is one", () => {
    const [near, far] = [address("smp", "a", "a.example"), address("smp", "a", "a.example,b.onion")];
    const one = (server: string, sent: number) => [[1, server], { _sentDirect: sent }];
    const { rows } = parseSimplex({ smpServersStats: [one(near, 2), one(far, 3)] });
    expect(rows).toMatchObject([{ server: near, counters: { sentDirect: 5 } }]);
  });

  test("what is missing is zero and told, what is unknown is kept and told", () => {
    const { _ntfKey: _gone, ...stats } = saved.smpServersStats[0]?.[1] ?? {};
    const key = saved.smpServersStats[0]?.[0];
    const later = { ...stats, _sentQuantum: 997, _note: "x", recvMsgs: 5, "smp://x": 1 };
    const read = parseSimplex({ smpServersStats: [[key, later]], xftpServersStats: [], planets: 9 });
    expect(read.rows[0]?.counters).toMatchObject({ sentQuantum: 997, recvMsgs: stats._recvMsgs });
    expect(read.rows[0]?.counters).not.toHaveProperty("ntfKey");
    expect(read.unknownCounters).toEqual({ smp: ["sentQuantum"], xftp: [], ntf: [] });
    expect(read.missing).toEqual([
      { path: "$.smpServersStats[*][*]._ntfKey", count: 1 },
      { path: "$.ntfServersStats", count: 1 },
    ]);
    expect(read.unknown).toEqual([
      { path: "$.planets", count: 1, value: 9 },
      { path: "$.smpServersStats[*][*]._sentQuantum", count: 1 },
      { path: "$.smpServersStats[*][*]._note", count: 1, value: "x" },
      { path: "$.smpServersStats[*][*].recvMsgs", count: 1, value: 5 },
      { path: "$.smpServersStats[*][*][?]", count: 1, value: 1 },
    ]);
  });

  const one = (value: unknown) => ({ smpServersStats: [[[1, address("smp", "a")], value]] });
  test.each([
    ["", "$: it is no JSON from line 1, column 1 on"],
    ['{"smpServersStats":\n [}', "$: it is no JSON from line 2, column 3 on"],
    ['{"smpServersStats":[]}}', "$: it is no JSON from line 1, column 23 on"],
    ['{"smpServersStats":[01]}', "$: it is no JSON from line 1, column 22 on"],
    [[], "$: this is none of the known forms of SimpleX's statistics"],
    [{}, "$: this is none of the known forms of SimpleX's statistics"],
    [null, "$: this is none of the known forms of SimpleX's statistics"],
    [{ resp: { Left: { type: "error" } } }, "$.resp: the core answered with an error, not with statistics"],
    [{ resp: { type: "chatCmdError" } }, "$.resp: the core answered with an error, not with statistics"],
    [{ smpServersStats: {} }, "$.smpServersStats: a list is expected here"],
    [{ smpServersStats: [[1]] }, "$.smpServersStats[0]: a list of two is expected here"],
    [one({ _recvMsgs: "1" }), "$.smpServersStats[0][1]._recvMsgs: a number is expected here"],
    [one({ _recvMsgs: null }), "$.smpServersStats[0][1]._recvMsgs: a number is expected here"],
    [one({ _recvMsgs: 1.5 }), "$.smpServersStats[0][1]._recvMsgs: the number is not whole"],
    [one({ _recvMsgs: -1 }), "$.smpServersStats[0][1]._recvMsgs: the number is below zero"],
    [one({ _recvMsgs: 2 ** 53 }), "$.smpServersStats[0][1]._recvMsgs: the number is too large to be told exactly"],
    [one([]), "$.smpServersStats[0][1]: an object is expected here"],
    [
      { smpServersStats: [[[true, address("smp", "a")], {}]] },
      "$.smpServersStats[0][0][0]: the id of a user is expected here",
    ],
    [
      { smpServersStats: [[[1, address("xftp", "a")], {}]] },
      "$.smpServersStats[0][0][1]: this is no address of an smp server",
    ],
    [
      { xftpServersStats: [[[1, "xftp://a@b"], {}]] },
      "$.xftpServersStats[0][0][1]: this is no address of a server: its key hash is cut off, or has lost its padding",
    ],
    [
      { smpServersStats: [...one({}).smpServersStats, ...one({}).smpServersStats] },
      "$.smpServersStats[1][0][1]: this server is told a second time",
    ],
    [
      { servers_stats: "{", started_at: "2026-05-04 03:02:01" },
      "$.servers_stats: it is no JSON from line 1, column 2 on",
    ],
    [{ servers_stats: "{}", started_at: "yesterday" }, "$.started_at: a date in UTC is expected here"],
    [
      {
        ...presented,
        allUsersSMP: { ...presented.allUsersSMP, currentlyUsedSMPServers: [], previouslyUsedSMPServers: [] },
      },
      "$.allUsersSMP: a server of the current user is missing among those of all users",
    ],
    [
      { ...presented, allUsersSMP: presented.currentUserSMP, currentUserSMP: presented.allUsersSMP },
      "$.allUsersSMP: all users together have less than the current one",
    ],
  ])("a malformed file is refused with the place of the fault: %j", (json, message) => {
    expect(() => parseSimplex(json)).toThrow(expect.objectContaining({ code: "SIMPLEX_MALFORMED" }));
    expect(() => parseSimplex(json)).toThrow(message);
  });

  test("totals that are no sums are told", () => {
    const { allUsersNtf } = presented;
    const ntfTotals = { ...allUsersNtf.ntfTotals, stats: { ...allUsersNtf.ntfTotals.stats, _ntfCreated: 1 } };
    const { inconsistent } = parseSimplex({ ...presented, allUsersNtf: { ...allUsersNtf, ntfTotals } });
    expect(inconsistent).toEqual([{ path: "$.allUsersNtf.ntfTotals.stats._ntfCreated", count: 1 }]);
  });
});
