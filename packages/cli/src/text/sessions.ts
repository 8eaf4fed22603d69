import type { LogLine, ServersStats, Session } from "agent-stats";
import { printable, together } from "./cells.ts";
import { formatDuration } from "./times.ts";

const HOW: Readonly<Record<Session["how"], string>> = {
  running: "running",
  close: "closed",
  exit: "process exited",
  exception: "uncaught exception",
  rejection: "unhandled rejection",
  SIGTERM: "ended by SIGTERM",
  SIGINT: "ended by SIGINT",
  SIGHUP: "ended by SIGHUP",
  clock: "clock was moved",
  agent: "agent was restarted",
  killed: "killed (no goodbye)",
};

/** How a session ended. What a later version wrote is shown as it is. */
export function formatHow({ how }: Session): string {
  return Object.hasOwn(HOW, how) ? HOW[how] : printable(how);
}

/** What of its counting can be missing: `nothing`, `≤ 5 s + save`; of one that runs nobody can say. */
export function formatLoss({ how, canHaveLostMs }: Session): string {
  if (how === "running") return "–";
  return canHaveLostMs > 0 ? `≤ ${formatDuration(canHaveLostMs)} + save` : "nothing";
}

/** Sessions that ended without a goodbye, and how much they can have lost together. */
export interface Losses {
  readonly sessions: number;
  readonly canHaveLostMs: number;
}

export function lossesOf(sessions: readonly Session[]): Losses {
  const killed = sessions.filter(({ how }) => how === "killed");
  return { sessions: killed.length, canHaveLostMs: killed.reduce((sum, { canHaveLostMs }) => sum + canHaveLostMs, 0) };
}

/**
 * Without those that were over before tracking began: a reset of everything is a new beginning, and nobody misses what
 * was counted before it.
 */
export function sessionsSince({ trackedSince, sessions }: Pick<ServersStats, "trackedSince" | "sessions">): Session[] {
  return sessions.filter(
    ({ how, lastSaved, ended }) =>
      how === "running" || Math.max(lastSaved.getTime(), ended?.getTime() ?? 0) >= trackedSince.getTime(),
  );
}

/** A sentence to be wrapped: `5, of which 1 is running and 2 ended without a goodbye: up to 10 s of counting and one save each can be missing`. */
export function formatSessions(sessions: readonly Session[]): string {
  const running = sessions.filter(({ how }) => how === "running").length;
  const losses = lossesOf(sessions);
  const parts = [
    ...(running > 0 ? [`${running} ${running === 1 ? "is" : "are"} running`] : []),
    ...(losses.sessions > 0 ? [`${losses.sessions} ended without a goodbye`] : []),
  ];
  if (sessions.length === 0) return "none";
  if (parts.length === 0) return `${sessions.length}, each ended with a goodbye`;
  const each = losses.sessions > 1 ? " each" : "";
  const missing = `: up to ${together(formatDuration(losses.canHaveLostMs))} of counting and one save${each} can be missing`;
  return `${sessions.length}, of which ${parts.join(" and ")}${losses.sessions > 0 ? missing : ""}`;
}

/** What was done: `session 1 added to the past`, `a user deleted`. No line knows a name. */
export function formatDeed({ what, of }: LogLine): string {
  if (what === "fold") return `session ${of} added to the past`;
  if (what === "delete") return "a user deleted";
  if (what === "anonymise") return "a user deleted, but for the sums";
  if (what !== "reset") return printable(what);
  const names = String(of).split("+").map(printable);
  return of === "everything" ? "everything reset" : `one ${names.join(" and ")} reset`;
}

/** Who did it: `by session 2`. A tool has none, and neither has a host that deletes in a transaction of its own. */
export function formatDoer({ by }: LogLine): string {
  return by === null ? "by a tool or the host" : `by session ${by}`;
}
