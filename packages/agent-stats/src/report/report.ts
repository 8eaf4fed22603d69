/** Reports for others: what an engineer needs to understand a bug, and no name of a user or a server. */
export type { CounterChange, ReportDiff, ReportedServer, ServerChange } from "./diff.ts";
export { diffReports, parseReport } from "./diff.ts";
export type {
  CounterMeaning,
  ReportDocument,
  ReportHour,
  ReportKeyed,
  ReportPeriod,
  ReportRecording,
  ReportServer,
  ReportSession,
} from "./document.ts";
export type { Report, ReportOptions } from "./make.ts";
export { makeReport } from "./make.ts";
export type { KeptReportKey, ResolvedServer } from "./pseudonyms.ts";
export { newReportKey, PSEUDONYM, resolvePseudonym } from "./pseudonyms.ts";
export { PUBLIC_SERVERS } from "./public-servers.ts";
