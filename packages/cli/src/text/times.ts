const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const two = (value: number) => String(value).padStart(2, "0");

/** A moment on the clock of whoever looks: `2026-06-19 14:02:33`, without seconds if asked. */
export function formatTime(date: Date, precision: "seconds" | "minutes" = "seconds"): string {
  if (Number.isNaN(date.getTime())) return "unknown";
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return precision === "minutes" ? `${day} ${time}` : `${day} ${time}:${two(date.getSeconds())}`;
}

/** A length of time in its two largest units: `250 ms`, `2.5 s`, `1 min 30 s`, `4 d 3 h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / 100) / 10} s`;
  if (ms < HOUR_MS) return inTwo(ms, MINUTE_MS, "min", SECOND_MS, "s");
  if (ms < DAY_MS) return inTwo(ms, HOUR_MS, "h", MINUTE_MS, "min");
  return inTwo(ms, DAY_MS, "d", HOUR_MS, "h");
}

function inTwo(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs);
  const first = `${Math.floor(ms / largeMs)} ${large}`;
  return rest === 0 ? first : `${first} ${rest} ${small}`;
}

/** A moment and how long ago it was, in one unit. Of one that is yet to come only the moment: some clock was moved. */
export function formatTimeAgo(date: Date, now: Date): string {
  const ms = now.getTime() - date.getTime();
  if (!(ms >= 0)) return formatTime(date);
  return `${formatTime(date)} (${ms < MINUTE_MS ? `${Math.floor(ms / SECOND_MS)} s` : formatDuration(ms)} ago)`;
}
