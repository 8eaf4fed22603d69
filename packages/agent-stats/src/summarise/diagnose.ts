import { activityFindings } from "./diagnose-activities.ts";
import { runFindings } from "./diagnose-runs.ts";
import type { Diagnosable, Finding } from "./findings.ts";
import { assertRead, isDate, isList, isRecord, isServersStats, isTimeline } from "./given.ts";

export type {
  ClockFinding,
  CrashesFinding,
  Diagnosable,
  DuplicatesFinding,
  ErasurePendingFinding,
  FailingEverywhereFinding,
  FailingFinding,
  FailureNumbers,
  FailureReason,
  Finding,
  FruitlessFinding,
  LosingFinding,
  RejectedFinding,
  StaleFinding,
} from "./findings.ts";
export { type Speaker, type Told, tell } from "./tell.ts";

const DAY_MS = 86_400_000;
const LOOK_BACK_MS = 30 * DAY_MS;

/**
 * Says what is wrong, since when, and by which numbers; the weightiest first. Nothing wrong: an empty list.
 *
 * Made not to cry wolf: a server is told when its failures are 100 000 times likelier under "10 % fail" than under
 * "2 % fail", so 7 failures of 7 are none yet, 8 are one, and 3 % of a million are none.
 *
 * @example
 * const [servers, sessions, timeline] =
 *   await Promise.all([stats.getServersStats(), stats.getSessions(), stats.getTimeline({ by: "hour" })]);
 * const now = new Date();
 * const speaker = { now, nameOf: (server) => server };
 * for (const finding of diagnose({ servers, sessions, timeline, now })) console.log(tell(finding, speaker).sentence);
 *
 * @throws TypeError when something of it is not what was read
 */
export function diagnose(given: Diagnosable): Finding[] {
  const isRead = isRecord(given) && isServersStats(given.servers) && isList(given.sessions, "started", "lastSaved");
  assertRead(isRead && isTimeline(given.timeline), "what is diagnosed must be what a view of the statistics tells");
  assertRead(isDate(given.now), "now must be a date");
  const { protocols = [], lookBackMs = LOOK_BACK_MS } = given;
  assertRead(isList(protocols, "counters"), "protocols must be made by defineProtocol");
  assertRead(typeof lookBackMs === "number", "lookBackMs is a number of milliseconds");
  const since = given.now.getTime() - lookBackMs;
  const findings = [...activityFindings(given, since), ...runFindings(given, since)];
  return findings.sort((a, b) => b.weight - a.weight);
}
