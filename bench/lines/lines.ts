import type { LineName, LineResult } from "../support/line.ts";
import { add } from "./add.ts";
import { day } from "./day.ts";
import { erase } from "./erase.ts";
import { find } from "./find.ts";
import { pause } from "./pause.ts";
import { read } from "./read.ts";
import { save } from "./save.ts";
import { share } from "./share.ts";
import { size } from "./size.ts";
import { space } from "./space.ts";
import { start } from "./start.ts";

/** What measures each line. */
export const LINES: Readonly<Record<LineName, () => Promise<LineResult>>> = {
  add,
  find,
  save,
  day,
  pause,
  start,
  read,
  share,
  space,
  size,
  erase,
};
