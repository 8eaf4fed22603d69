import type { AuditRow, CountedRow, HourRow, SessionRow, SessionSumRow } from "../store/store.ts";
import { ask, type Flow } from "./flow.ts";
import type { SessionFlows } from "./session-flows.ts";

/** What is counted already of that session of an agent elsewhere: an older host may have kept it. */
export function* counted(flows: SessionFlows, agent: string | null): Flow<CountedRow[]> {
  yield* flows.start();
  return agent === null ? [] : yield* ask("counted", agent);
}

/** The sessions, what each counted, and who folded, deleted and reset what, up to this moment. */
export function* sessions(flows: SessionFlows): Flow<readonly [SessionRow[], SessionSumRow[], AuditRow[]]> {
  yield* flows.save();
  return [yield* ask("sessions"), yield* ask("sessionSums"), yield* ask("audit")];
}

/** What was counted by hour, up to this moment. */
export function* hours(flows: SessionFlows, from: number, to: number): Flow<HourRow[]> {
  yield* flows.save();
  return yield* ask("hours", from, to);
}

/** Every user of whom there are statistics. */
export function* keptUsers(flows: SessionFlows): Flow<string[]> {
  yield* flows.start();
  const { keys } = yield* ask("sums", null);
  return [...new Set(keys.map(({ userId }) => userId))].filter((userId) => userId !== "");
}
