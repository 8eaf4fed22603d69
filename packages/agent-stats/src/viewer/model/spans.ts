import type { Session } from "../../summarise/sessions.ts";

/** In percent of a table's column that stands for all the time shown. */
export interface Bar {
  readonly from: number;
  readonly width: number;
}

/** So much of the column is still seen. */
const LEAST_WIDTH = 1.5;

/** When it was last known to run. */
export function lastKnown({ ended, lastSaved }: Pick<Session, "ended" | "lastSaved">): number {
  return (ended ?? lastSaved).getTime();
}

/** Where a session stands between the beginning and the end of what is shown; however short it was, it is seen. */
export function barOf(session: Pick<Session, "started" | "ended" | "lastSaved">, begin: number, end: number): Bar {
  const percent = (ms: number) => Math.min(100, Math.max(0, ((ms - begin) / Math.max(1, end - begin)) * 100));
  const from = Math.min(percent(session.started.getTime()), 100 - LEAST_WIDTH);
  return { from, width: Math.max(LEAST_WIDTH, percent(lastKnown(session)) - from) };
}
