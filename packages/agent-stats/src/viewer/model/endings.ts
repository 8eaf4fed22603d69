import type { Session } from "../../summarise/sessions.ts";
import { durationText } from "../../summarise/words.ts";
import { NOT_KNOWN } from "./words.ts";

const ENDINGS: Readonly<Record<Session["how"], string>> = {
  running: "running",
  close: "closed",
  exit: "ended with its process",
  exception: "crashed: uncaught error",
  rejection: "crashed: unhandled rejection",
  SIGTERM: "ended by SIGTERM",
  SIGINT: "ended by SIGINT",
  SIGHUP: "ended by SIGHUP",
  clock: "begun anew: the clock was set back",
  agent: "begun anew: the agent was started again",
  killed: "ended without a goodbye",
};

export function endingText({ how }: Pick<Session, "how">): string {
  return ENDINGS[how];
}

const BAD: ReadonlySet<Session["how"]> = new Set(["killed", "exception", "rejection"]);

export function endedBadly({ how }: Pick<Session, "how">): boolean {
  return BAD.has(how);
}

/** What of its counting can be missing, as the command says it; of one that runs nobody can say. */
export function missingText({ how, canHaveLostMs }: Pick<Session, "how" | "canHaveLostMs">): string {
  if (how === "running") return NOT_KNOWN;
  return canHaveLostMs > 0 ? `≤ ${durationText(canHaveLostMs)} + save` : "nothing";
}
