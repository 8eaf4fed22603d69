import { countText } from "../../summarise/words.ts";

export { countText, plural, printable } from "../../summarise/words.ts";

/** What is not known is not zero. */
export const NOT_KNOWN = "–";

export function countOrDash(value: number | null): string {
  return value === null ? NOT_KNOWN : countText(value);
}

const two = (value: number) => String(value).padStart(2, "0");

/** On the clock of whoever looks: `2026-06-19 14:02`. */
export function timeText(date: Date): string {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
];

/** For axes: `19 Jun`. */
export function dayShort(date: Date): string {
  return `${date.getDate()} ${MONTHS[date.getMonth()]?.slice(0, 3)}`;
}

export function hourText(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A length of time in its largest unit, the next one where that tells much: `5 s`, `12 min`, `3 h`, `1 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return inTwo(ms, HOUR_MS, "h", MINUTE_MS, "min");
  return inTwo(ms, DAY_MS, "d", HOUR_MS, "h");
}

function inTwo(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const [whole, rest] = [Math.floor(ms / largeMs), Math.floor((ms % largeMs) / smallMs)];
  return whole >= 10 || rest === 0 ? `${whole} ${large}` : `${whole} ${large} ${rest} ${small}`;
}

/** Whoever looks may be so much behind what is saved meanwhile. */
const JUST_NOW_MS = 10 * SECOND_MS;

/** `just now`, `12 min ago`; of what is well ahead only the moment: some clock was moved. */
export function agoText(date: Date, now: number): string {
  const ms = now - date.getTime();
  if (ms <= -JUST_NOW_MS) return timeText(date);
  return ms < JUST_NOW_MS ? "just now" : `${durationText(ms)} ago`;
}
