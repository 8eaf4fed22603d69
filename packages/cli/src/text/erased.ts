import type { Erased } from "agent-stats";

/** How far something that was deleted is gone. */
export const ERASED: Readonly<Record<Erased, string>> = {
  physically: "erased: no page of the file holds it any more",
  logically: "deleted; the file is another app's, which overwrites freed pages when it compacts it",
  pending: "deleted; old pages are erased when nobody else reads the file: end that, then start the app",
};
