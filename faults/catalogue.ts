import type { Trial } from "./trial.ts";
import { clock } from "./trials/clock/clock.ts";
import { crowd } from "./trials/crowd/crowd.ts";
import { damage } from "./trials/damage/damage.ts";
import { endings } from "./trials/endings/endings.ts";
import { erase } from "./trials/erase/erase.ts";
import { input } from "./trials/input/input.ts";
import { iofault } from "./trials/iofault/iofault.ts";
import { kill } from "./trials/kill/kill.ts";
import { moved } from "./trials/moved/moved.ts";
import { powercut } from "./trials/powercut/powercut.ts";
import { secrets } from "./trials/secrets/secrets.ts";
import { stale } from "./trials/stale/stale.ts";
import { upgrade } from "./trials/upgrade/upgrade.ts";

/** Every trial of the campaign, in the order in which they run: a folder or file each in `trials/`. */
export const CATALOGUE: readonly Trial[] = [
  kill,
  endings,
  powercut,
  iofault,
  damage,
  crowd,
  stale,
  erase,
  moved,
  clock,
  secrets,
  input,
  upgrade,
];
