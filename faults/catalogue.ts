import type { Trial } from "./trial.ts";
import { kill } from "./trials/kill/kill.ts";

/** Every trial of the campaign, in the order in which they run: a folder or file each in `trials/`. */
export const CATALOGUE: readonly Trial[] = [kill];
