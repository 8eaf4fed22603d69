import { test } from "vitest";
import { expectRefused, SECRET } from "../record/given.testing.ts";
import type { ServersStats } from "../summarise/servers-stats.ts";
import { diffReports, makeReport, newReportKey, parseReport, type ReportOptions, resolvePseudonym } from "./report.ts";

const noObject = [null, 5, SECRET, Symbol(SECRET), () => SECRET] as never[];
const nothing = [undefined as never, ...noObject];
const key = newReportKey();
const stats: ServersStats = {
  ...{ trackedSince: new Date(0), lastSaved: null, erasurePending: false, sessions: [], servers: [], rejected: {} },
} as unknown as ServersStats;
const report = await makeReport({ stats, key });
const make = (more: object) => makeReport({ stats, key, ...more } as ReportOptions);

test.each<[string, never[], (given: never) => unknown, RegExp]>([
  ["options", nothing, (given) => makeReport(given), /options must be an object/],
  ["statistics", [...nothing, {} as never], (given) => make({ stats: given }), /getServersStats tells/],
  ["a key", [...nothing, new Uint8Array(5) as never], (given) => make({ key: given }), /32 bytes/],
  ["a timeline", [...noObject, [{}] as never], (timeline) => make({ timeline }), /getTimeline tells/],
  ["a case", ["", 5, {}, "a".repeat(101)] as never[], (caseId) => make({ caseId }), /1 to 100 characters/],
  ["protocols", [...noObject, [{}] as never], (protocols) => make({ protocols }), /defineProtocol/],
  ["a moment", [null, "x", new Date(Number.NaN)] as never[], (made) => make({ made }), /made must be a date/],
  ["public servers", [5, {}] as never[], (publicServers) => make({ publicServers }), /lists of names/],
  ["hidden users", [5, {}] as never[], (withoutUsers) => make({ withoutUsers }), /lists of names/],
  ["a recording", [5, {}, { before: stats }] as never[], (recorded) => make({ recorded }), /recorded must be/],
  ["a report's text", nothing.filter((each) => each !== SECRET), (given) => parseReport(given), /from its text/],
  ["a report before", [...nothing, {} as never], (given) => diffReports(given, report.document), /reports are/],
  ["a report after", [...nothing, {} as never], (given) => diffReports(report.document, given), /reports are/],
  ["kept keys", [undefined, null, 5, [null], [{}]] as never[], (keys) => resolvePseudonym("srv-a", keys, ["a"]), /key/],
  [
    "servers",
    [undefined, null, 5, [null], [{}]] as never[],
    (servers) => resolvePseudonym("srv-a", [{ made: 1, key, caseId: null }], servers),
    /list of names/,
  ],
])("%s that is none is refused, in a sentence that does not repeat it", async (_, wrong, call, says) => {
  for (const given of wrong) await expectRefused(() => call(given), says);
});
