import { ask, type Flow } from "./flow.ts";
import type { Progress } from "./progress.ts";

/**
 * Goes on from a keeper that could not close. The store knows how many of its saves have arrived after all; unless it is
 * another one now, where none of them is.
 */
export function* takeOver(progress: Progress): Flow<void> {
  const { left } = progress;
  if (left === null) return;
  const { session, startedAt, seen } = left;
  const { sessions, saves } = yield* ask("sums", { session, seen });
  const isKnown = sessions.some((row) => row.session === session && row.started === startedAt);
  progress.takeOver(isKnown ? saves : 0);
}
