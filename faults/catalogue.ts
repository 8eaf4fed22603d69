import type { Trial } from "./trial.ts";
import { crowd } from "./trials/crowd/crowd.ts";
import { endings } from "./trials/endings/endings.ts";
import { erase } from "./trials/erase/erase.ts";
import { kill } from "./trials/kill/kill.ts";
import { moved } from "./trials/moved/moved.ts";
import { stale } from "./trials/stale/stale.ts";

/** Every trial of the campaign, in the order in which they run: a folder or file each in `trials/`. */
export const CATALOGUE: readonly Trial[] = [kill, endings, crowd, stale, erase, moved];
