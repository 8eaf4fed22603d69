/** The doors of those who tell what was counted, here and to SimpleX: each with arguments that are right. */
import { groupByUse, memoryStore, shown, successRates, totals } from "agent-stats";
import { diagnose, tell } from "agent-stats/diagnose";
import { diffReports, makeReport, parseReport, resolvePseudonym } from "agent-stats/report";
import * as simplex from "agent-stats/simplex";
import { lockSimplexImports, readSimplexDatabase } from "agent-stats/simplex-db";
import { MARK } from "../../oracle/canary.ts";
import { type Door, DRIVER, door, key, protocol } from "./world.ts";

const address = { protocol: "smp", keyHash: "YWJj", hosts: [MARK], port: null } as const;
const read = { servers_stats: null, started_at: "2026-01-01 00:00:00" };

export const TELLING: readonly Door[] = [
  door(
    "totals",
    ({ servers }) => [servers.servers, { part: "past", userId: 1, hiddenUsers: [2] }],
    (_, ...of) => totals(...of),
  ),
  door(
    "shown",
    ({ servers }) => [servers.servers, { userId: 1, hiddenUsers: [2] }],
    (_, ...of) => shown(...of),
  ),
  door(
    "groupByUse",
    ({ servers }) => [servers.servers, { smp: { wasUsed: () => true } }],
    (_, ...of) => groupByUse(...of),
  ),
  door(
    "successRates",
    () => [protocol, { sent: 5 }],
    (_, ...of) => successRates(...of),
  ),
  door(
    "diagnose",
    (world) => [{ ...world, protocols: [protocol], lookBackMs: 5 }],
    (_, of) => diagnose(of),
  ),
  door(
    "tell",
    ({ finding, now }) => [finding, { now, nameOf: () => "a", userOf: () => "b" }],
    (_, ...of) => tell(...of),
  ),
  door(
    "makeReport",
    (world) => {
      const recorded = { before: world.servers, started: world.now, stopped: world.now };
      const more = { timeline: world.timeline, protocols: [protocol], made: world.now, recorded };
      return [
        { stats: world.servers, key: world.reportKey, caseId: "c", publicServers: [], withoutUsers: [1], ...more },
      ];
    },
    (_, of) => makeReport(of),
  ),
  door(
    "parseReport",
    ({ report }) => [report.json],
    (_, of) => parseReport(of),
  ),
  door(
    "diffReports",
    ({ report }) => [report.document, report.document],
    (_, ...of) => diffReports(...of),
  ),
  door(
    "resolvePseudonym",
    ({ reportKey }) => ["srv-aaaaaaaa", [{ made: 1, key: reportKey, caseId: null }], [key.server]],
    (_, ...of) => resolvePseudonym(...of),
  ),
];

export const SIMPLEX: readonly Door[] = [
  door(
    "parseSimplex",
    () => [read, { currentUser: 1 }],
    (_, ...of) => simplex.parseSimplex(...of),
  ),
  door(
    "parseSimplexServer",
    () => ["smp://YWJj@host"],
    (_, of) => simplex.parseSimplexServer(of),
  ),
  door(
    "formatSimplexServer",
    () => [address],
    (_, of) => simplex.formatSimplexServer(of),
  ),
  door(
    "serverIdentity",
    () => [address],
    (_, of) => simplex.serverIdentity(of),
  ),
  door(
    "fieldOf",
    () => ["sent"],
    (_, of) => simplex.fieldOf(of),
  ),
  door(
    "toPresentedServersSummary",
    ({ servers, now }) => [servers, { currentUser: 1, hiddenUsers: [2], knownServers: [], statsStartedAt: now }],
    (_, ...of) => simplex.toPresentedServersSummary(...of),
  ),
  door(
    "importSimplex",
    () => [memoryStore(), simplex.parseSimplex(read)],
    (_, ...of) => simplex.importSimplex(...of),
  ),
  door(
    "watchSimplex",
    ({ signal }) => [{ url: "ws://127.0.0.1:9", store: memoryStore(), signal, everyMs: 5 }],
    (_, of) => simplex.watchSimplex(of),
  ),
  door(
    "readSimplexDatabase",
    (world) => [{ file: world.file, passphrase: "p", driver: DRIVER }],
    (_, of) => readSimplexDatabase(of),
  ),
  door(
    "lockSimplexImports",
    (world) => [world.file, 5],
    (_, ...of) => lockSimplexImports(...of).release(),
  ),
];
